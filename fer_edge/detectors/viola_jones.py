"""Viola and Jones, "Rapid object detection using a boosted cascade of simple features", 2001."""

from pathlib import Path

import cv2
import cv2.data
import numpy as np

from fer_edge.config import ViolaJonesDetector
from fer_edge.errors import ConfigError
from fer_edge.geometry import scale
from fer_edge.types import Box, Detection, Picture

DEFAULT_CASCADE = "haarcascade_frontalface_default.xml"


class ViolaJones:
    """OpenCV's cascade on luma, scaled down: the whole frame, every time it is called."""

    def __init__(self, config: ViolaJonesDetector) -> None:
        self._config = config
        self._cascade = _load_cascade(config.cascade)

    def __call__(self, picture: Picture) -> list[Detection]:
        """Every frontal face; the score is the number of overlapping finds behind it.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        width = min(self._config.search_width, picture.width)
        gray = picture.gray(width)
        height = max(1, round(picture.height * width / picture.width))
        if gray.shape[1] != width:
            gray = cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA).astype(
                np.uint8, copy=False
            )
        side = max(1, round(self._config.min_face * height))
        boxes, neighbors = self._cascade.detectMultiScale2(
            gray,
            scaleFactor=self._config.scale_factor,
            minNeighbors=self._config.min_neighbors,
            minSize=(side, side),
        )
        return [
            Detection(scale(Box(*map(float, box)), picture.width / width), float(count))
            for box, count in zip(boxes, neighbors, strict=True)
        ]


def _load_cascade(path: Path | None) -> cv2.CascadeClassifier:
    if not hasattr(cv2, "CascadeClassifier"):
        raise ConfigError(
            f"OpenCV {cv2.__version__} has no CascadeClassifier; "
            "install opencv-python-headless below version 5"
        )
    path = path or Path(cv2.data.haarcascades, DEFAULT_CASCADE)
    if not path.is_file():
        raise ConfigError(
            f"detector.cascade: {path} is not there; name a Haar cascade in OpenCV's XML, "
            "or leave it out for OpenCV's own"
        )
    try:
        cascade = cv2.CascadeClassifier(str(path))
    except (cv2.error, SystemError):
        cascade = None
    if cascade is None or cascade.empty():
        raise ConfigError(
            f"detector.cascade: {path} is not a Haar cascade in OpenCV's XML; "
            "leave it out for OpenCV's own"
        )
    return cascade
