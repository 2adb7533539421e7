"""YuNet, a small convolutional detector with five landmarks, through OpenCV's `FaceDetectorYN`.

W. Wu, H. Peng and S. Yu, "YuNet: A tiny millisecond-level face detector", Machine Intelligence Research,
2023.  It sees luma in all three channels: it is as sure on grey as on colour.  A known face is followed by
the same network in its own neighbourhood, levelled by its landmarks.
"""

import hashlib
import logging
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.config import YuNetDetector
from fer_edge.errors import ConfigError
from fer_edge.types import Box, Detection, GrayImage
from fer_edge.vision.detectors._landmarks import face_of
from fer_edge.vision.detectors._models import find_model
from fer_edge.vision.detectors._network import NetworkDetector

log = logging.getLogger(__name__)

NAME: Final = "face_detection_yunet_2023mar.onnx"
"""The file that ships."""

RELEASES: Final = {
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4": "2023mar, float32",
    "321aa5a6afabf7ecc46a3d06bfab2b579dc96eb5c3be7edd365fa04502ad9294": "2023mar, int8",
}
"""SHA-256 of the files that OpenCV Zoo published."""

FOLLOW_SIDE: Final = 96
"""Side of the neighbourhood, levelled, in which a known face is followed, pixels."""

NMS: Final = 0.3
"""Overlap from which two finds are one face."""
MOST_FACES: Final = 200
"""Finds that are compared with each other, the surest ones."""


class YuNet(NetworkDetector):
    """OpenCV's YuNet on luma."""

    def __init__(self, config: YuNetDetector) -> None:
        model = find_model(config.model, "detector.model", NAME)
        if hashlib.sha256(model.read_bytes()).hexdigest() not in RELEASES:
            log.warning("detector.model: %s is none of the known releases of YuNet", model)
        self._model, self._min_score = model, config.min_score
        # One of its own, since a change of size costs more than following a face.
        self._following = _open(model, config.min_score)
        super().__init__(config, self._run, follow_side=FOLLOW_SIDE)

    @cached_property
    def _searching(self) -> Any:
        """The one for searches; who only verifies another's faces needs none."""
        return _open(self._model, self._min_score)

    def _run(self, plane: GrayImage) -> list[Detection]:
        height, width = plane.shape
        followed = (width, height) == (FOLLOW_SIDE, FOLLOW_SIDE)
        network = self._following if followed else self._searching
        network.setInputSize((width, height))
        _, faces = network.detect(cv2.cvtColor(plane, cv2.COLOR_GRAY2BGR))
        return [] if faces is None else [_detection(row) for row in faces]


def _open(model: Path, min_score: float) -> Any:
    try:
        return cv2.FaceDetectorYN.create(
            str(model), "", (FOLLOW_SIDE, FOLLOW_SIDE), min_score, NMS, MOST_FACES
        )
    except (cv2.error, AttributeError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise ConfigError(
            f"detector.model: {model} cannot be loaded ({reason}); name OpenCV Zoo's {NAME}, "
            "or leave it out"
        ) from None


def _detection(row: NDArray[np.float32]) -> Detection:
    """A row of the network's: box, five landmarks, score."""
    values = [float(value) for value in row]
    landmarks = tuple(zip(values[4:14:2], values[5:14:2], strict=True))
    return face_of(Box(*values[:4]), landmarks, values[14])
