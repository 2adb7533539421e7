"""Viola and Jones, "Rapid object detection using a boosted cascade of simple features", 2001."""

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from fer_edge.config import ViolaJonesDetector
from fer_edge.errors import ConfigError
from fer_edge.geometry import iou, scale
from fer_edge.types import Box, Detection, GrayImage, Picture

DEFAULT_CASCADE = "haarcascade_frontalface_default.xml"


FOLLOW_PX = 32
"""Side to which a known face is scaled down; the cascade's window is 24.

Measured on the demo and three clips of real faces, one x86 core, against a search of every frame:
32, 40, 48 and 60 px all held every face in every frame, in 1.6, 1.9, 2.3 and 4.7 ms; the whole frame
took 20 to 25 ms."""

FOLLOW_REACH = 0.4
"""How far round the expected box, as a share of its side, a face is looked for."""

FOLLOW_SIZES = (0.8, 1.25)
"""Smallest and largest face that is looked for, as a share of the expected one."""

FOLLOW_STEP = 1.1
FOLLOW_NEIGHBORS = 3


class ViolaJones:
    """OpenCV's cascade on luma, scaled down."""

    def __init__(self, config: ViolaJonesDetector) -> None:
        self._config = config
        self._cascade = _load_cascade(config.cascade)

    def search(self, picture: Picture) -> list[Detection]:
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

    def follow(self, picture: Picture, expected: Sequence[Box]) -> list[Detection]:
        """The frontal face nearest to each expected box, looked for in its neighbourhood only.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        found = (self._near(picture, box) for box in expected)
        return [detection for detection in found if detection is not None]

    def _near(self, picture: Picture, expected: Box) -> Detection | None:
        side = max(expected.width, 1.0)
        plane = picture.gray(math.ceil(picture.width * min(1.0, FOLLOW_PX / side)))
        to_plane = plane.shape[1] / picture.width
        region, left, top = _cut(plane, scale(expected, to_plane))
        shrink = min(1.0, FOLLOW_PX / (side * to_plane))
        if min(region.shape) * shrink < FOLLOW_PX * FOLLOW_SIZES[0]:
            return None  # it has left the picture
        if shrink < 1:
            region = cv2.resize(
                region, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA
            ).astype(np.uint8, copy=False)
        smallest, largest = (max(1, round(side * to_plane * shrink * s)) for s in FOLLOW_SIZES)
        boxes, neighbors = self._cascade.detectMultiScale2(
            region,
            scaleFactor=FOLLOW_STEP,
            minNeighbors=FOLLOW_NEIGHBORS,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        found = [
            Detection(
                scale(_move(scale(Box(*map(float, box)), 1 / shrink), left, top), 1 / to_plane),
                float(count),
            )
            for box, count in zip(boxes, neighbors, strict=True)
        ]
        return max(found, key=lambda one: iou(one.box, expected), default=None)


def _cut(plane: GrayImage, box: Box) -> tuple[GrayImage, int, int]:
    """A view of the neighbourhood of `box`, and its left and top edge in the plane."""
    height, width = plane.shape
    reach = FOLLOW_REACH * box.width
    left, top = max(0, round(box.x - reach)), max(0, round(box.y - reach))
    right = min(width, round(box.x + box.width + reach))
    bottom = min(height, round(box.y + box.height + reach))
    return plane[top : max(top, bottom), left : max(left, right)], left, top


def _move(box: Box, x: float, y: float) -> Box:
    return Box(box.x + x, box.y + y, box.width, box.height)


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
