"""YuNet, a small convolutional detector with five landmarks, through OpenCV's `FaceDetectorYN`.

W. Wu, H. Peng and S. Yu, "YuNet: A tiny millisecond-level face detector", Machine Intelligence Research,
2023.  It sees luma in all three channels: it is as sure on grey as on colour.  A known face is followed by
the same network in its own neighbourhood, levelled by its landmarks.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.config import YuNetDetector
from fer_edge.errors import ConfigError
from fer_edge.geometry import iou
from fer_edge.types import Box, Detection, GrayImage, Picture
from fer_edge.vision.detectors._landmarks import face_of
from fer_edge.vision.detectors._models import find_model
from fer_edge.vision.detectors._planes import Turned, even_light
from fer_edge.vision.detectors._regions import best, cut_region, enlarged, shrunk

log = logging.getLogger(__name__)

NAME: Final = "face_detection_yunet_2023mar.onnx"
"""The file that ships."""

RELEASES: Final = {
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4": "2023mar, float32",
    "321aa5a6afabf7ecc46a3d06bfab2b579dc96eb5c3be7edd365fa04502ad9294": "2023mar, int8",
}
"""SHA-256 of the files that OpenCV Zoo published."""

TURN_DEG: Final = 40.0
"""Between planes: it finds most heads that are tilted by 30 degrees, few beyond."""

NMS: Final = 0.3
"""Overlap from which two finds are one face."""

FINE_WIDTH: Final = 1.5
"""Width of the plane for small faces, in widths of the usual one."""

FOLLOW_SIDE: Final = 96
"""Side of the neighbourhood, levelled, in which a known face is followed, pixels."""
FOLLOW_REACH: Final = 0.45
"""How far that neighbourhood reaches round the face, as a share of its side."""


class YuNet:
    """OpenCV's YuNet on luma."""

    def __init__(self, config: YuNetDetector) -> None:
        self._config = config
        model = find_model(config.model, "detector.model", NAME)
        digest = hashlib.sha256(model.read_bytes()).hexdigest()
        if digest not in RELEASES:
            log.warning("detector.model: %s is none of the known releases of YuNet", model)
        self._search = self._open(model, (320, 320))
        self._follow = self._open(model, (FOLLOW_SIDE, FOLLOW_SIDE))
        steps = range(1, int((config.max_tilt_deg + TURN_DEG / 2) // TURN_DEG) + 1)
        tilted = [(sign * n * TURN_DEG, 1.0) for n in steps for sign in (1, -1)]
        self._turns = [(0.0, 1.0), (0.0, FINE_WIDTH), *tilted]

    def _open(self, model: Path, size: tuple[int, int]) -> Any:
        try:
            return cv2.FaceDetectorYN.create(str(model), "", size, self._config.min_score, NMS, 200)
        except (cv2.error, AttributeError) as error:
            reason = str(error).strip().splitlines()[-1]
            raise ConfigError(
                f"detector.model: {model} cannot be loaded ({reason}); name OpenCV Zoo's "
                "face_detection_yunet_2023mar.onnx, or leave it out"
            ) from None

    @property
    def turns(self) -> int:
        """Upright; small; tilted to either side."""
        return len(self._turns)

    def search(
        self,
        picture: Picture,
        known: Sequence[Box] = (),  # noqa: ARG002  a network's cost does not depend on them
        turn: int | None = 0,
    ) -> list[Detection]:
        """Every face of a turn, those that are `known` too.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        turns = self._turns if turn is None else [self._turns[turn % len(self._turns)]]
        found: list[Detection] = []
        for angle, wider in turns:
            width = min(round(self._config.search_width * wider), picture.width)
            plane = even_light(shrunk(picture, width))
            turned = Turned.of(plane, angle)
            back = (turned.back(one) for one in self._run(self._search, turned.plane))
            found += [enlarged(one, picture.width / width) for one in back]
        least = self._config.min_face * picture.height
        return best([one for one in found if one.box.width >= least])

    def search_in_parts(
        self, picture: Picture, known: Sequence[Box] = (), turn: int = 0
    ) -> Iterator[list[Detection]]:
        """The same in one step: it costs no more than a part of the cascade's search.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        yield self.search(picture, known, turn)

    def follow(self, picture: Picture, expected: Sequence[Detection]) -> list[Detection]:
        """The face nearest to each expected one, looked for in its levelled neighbourhood.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        found = (self._near(picture, one) for one in expected)
        return [detection for detection in found if detection is not None]

    def _near(self, picture: Picture, expected: Detection) -> Detection | None:
        region = cut_region(picture, expected, side=FOLLOW_SIDE, reach=FOLLOW_REACH)
        if region is None:
            return None
        found = [region.back(one) for one in self._run(self._follow, even_light(region.plane))]
        nearest = max(found, key=lambda one: iou(one.box, expected.box), default=None)
        if nearest is None or not iou(nearest.box, expected.box):
            return None
        return nearest

    def _run(self, network: Any, plane: GrayImage) -> list[Detection]:
        height, width = plane.shape
        network.setInputSize((width, height))
        _, faces = network.detect(cv2.cvtColor(plane, cv2.COLOR_GRAY2BGR))
        return [] if faces is None else [_detection(row) for row in faces]


def _detection(row: NDArray[np.float32]) -> Detection:
    """A row of the network's: box, five landmarks, score."""
    values = [float(value) for value in row]
    landmarks = tuple(zip(values[4:14:2], values[5:14:2], strict=True))
    return face_of(Box(*values[:4]), landmarks, values[14])
