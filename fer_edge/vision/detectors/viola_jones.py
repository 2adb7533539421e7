"""Viola and Jones, "Rapid object detection using a boosted cascade of simple features", 2001.

A known face is followed by the same cascade, in its own region and at its own size.  Optical flow held
faces as well and costs three times as much; a template costs less and loses them.  Only the cascade says
anew in each frame that there is a face, so searches may be seldom (docs/experiments.md, `benchmarks/follow`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from fer_edge.config import ViolaJonesDetector
from fer_edge.errors import ConfigError
from fer_edge.geometry import iou, scale
from fer_edge.types import Box, Detection, GrayImage, Picture
from fer_edge.vision.detectors._parts import share, window_sizes

DEFAULT_CASCADE = "haarcascade_frontalface_default.xml"


FOLLOW_PX = 32
"""Side to which a known face is scaled down; the cascade's window is 24.

Measured on the demo and three clips of real faces, one x86 core, against a search of every frame:
32, 40, 48 and 60 px all held every face in every frame; 32 is the cheapest by far."""

LITTLE = 0.85
"""A region is left as it is where shrinking would take less than this off."""

GROUPING = 0.2
"""How unlike two finds of one face may be: OpenCV's own figure (GROUP_EPS in cascadedetect.cpp)."""

FOLLOW_STEP = 1.1
FOLLOW_NEIGHBORS = 3


@dataclass(frozen=True, slots=True)
class _Effort:
    """How far a followed face is looked for."""

    reach: float
    """How far round the expected box, as a share of its side."""
    smallest: float
    """Smallest face, as a share of the expected one."""
    largest: float


EFFORTS = (_Effort(0.25, 0.87, 1.17), _Effort(0.4, 0.8, 1.25))
"""Near first, and further only where that finds nothing.

Near alone costs less than half and loses a face that turns quickly; both together hold what far alone
holds (docs/experiments.md)."""


class ViolaJones:
    """OpenCV's cascade on luma, scaled down."""

    def __init__(self, config: ViolaJonesDetector) -> None:
        self._config = config
        self._cascade = _load_cascade(config.cascade)
        if config.threads:
            cv2.setNumThreads(config.threads)

    def search(self, picture: Picture, known: Sequence[Box] = ()) -> list[Detection]:
        """Every frontal face; the score is the number of overlapping finds behind it.

        Where one is `known` to be, none is looked for: a face is what the cascade spends most on.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        gray, shrink = self._plane(picture, known)
        boxes, neighbors = self._cascade.detectMultiScale2(
            gray,
            scaleFactor=self._config.scale_factor,
            minNeighbors=self._config.min_neighbors,
            minSize=self._least(gray),
        )
        return _detections(boxes, neighbors, 1 / shrink)

    def search_in_parts(
        self, picture: Picture, known: Sequence[Box] = ()
    ) -> Iterator[list[Detection]]:
        """The same faces, with the last of some steps; nothing before.

        Each step looks for some sizes of face, in the plane of the first: so what is found is
        exactly what `search` finds.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        gray, shrink = self._plane(picture, known)
        window = self._cascade.getOriginalWindowSize()[0]
        factor = self._config.scale_factor
        sizes = window_sizes(window, self._least(gray)[0], min(gray.shape), factor)
        finds: list[Sequence[int]] = []
        for part, (least, most) in enumerate(share(sizes)):
            if part:
                yield []
            boxes, _ = self._cascade.detectMultiScale2(
                gray,
                scaleFactor=factor,
                minNeighbors=0,
                minSize=(least, least),
                maxSize=(most, most),
            )
            finds += [tuple(map(int, box)) for box in boxes]
        # As OpenCV does itself at the end of a search; no neighbours asked for, nothing is joined.
        joined, neighbors = cv2.groupRectangles(finds, self._config.min_neighbors, GROUPING)
        yield _detections(joined, neighbors, 1 / shrink)

    def _plane(self, picture: Picture, known: Sequence[Box]) -> tuple[GrayImage, float]:
        """What is searched, and its size as a share of the picture's."""
        width = min(self._config.search_width, picture.width)
        gray = picture.gray(width)
        if gray.shape[1] != width:
            gray = _resize(gray, width, max(1, round(picture.height * width / picture.width)))
        shrink = width / picture.width
        return _blank(gray, [scale(box, shrink) for box in known]), shrink

    def _least(self, gray: GrayImage) -> tuple[int, int]:
        side = max(1, round(self._config.min_face * gray.shape[0]))
        return side, side

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
        for effort in EFFORTS:
            found = self._look(plane, scale(expected, to_plane), effort)
            if found is not None:
                return Detection(scale(found.box, 1 / to_plane), found.score)
        return None

    def _look(self, plane: GrayImage, expected: Box, effort: _Effort) -> Detection | None:
        """The face nearest to `expected`; boxes are in pixels of the plane."""
        region, left, top = _cut(plane, expected, effort.reach)
        side = max(expected.width, 1.0)
        if min(region.shape) < side * effort.smallest:
            return None  # it has left the picture
        region, shrink = _shrink(region, FOLLOW_PX / side)
        smallest, largest = (
            max(1, round(side * shrink * size)) for size in (effort.smallest, effort.largest)
        )
        boxes, neighbors = self._cascade.detectMultiScale2(
            region,
            scaleFactor=FOLLOW_STEP,
            minNeighbors=FOLLOW_NEIGHBORS,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        found = [
            Detection(_move(one.box, left, top), one.score)
            for one in _detections(boxes, neighbors, 1 / shrink)
        ]
        return max(found, key=lambda one: iou(one.box, expected), default=None)


def _detections(
    boxes: Sequence[Sequence[int]], neighbors: Sequence[int], factor: float
) -> list[Detection]:
    """What the cascade found, in a picture that is `factor` times as large."""
    return [
        Detection(scale(Box(*map(float, box)), factor), float(count))
        for box, count in zip(boxes, neighbors, strict=True)
    ]


def _blank(plane: GrayImage, boxes: Sequence[Box]) -> GrayImage:
    """The plane with every box wiped, but for a rim that a neighbour may reach into."""
    if not boxes:
        return plane
    plane = plane.copy()
    for box in boxes:
        rim = box.width / 8
        left, top = max(0, round(box.x + rim)), max(0, round(box.y + rim))
        right = max(0, round(box.x + box.width - rim))
        bottom = max(0, round(box.y + box.height - rim))
        plane[top:bottom, left:right] = 128
    return plane


def _cut(plane: GrayImage, box: Box, reach: float) -> tuple[GrayImage, int, int]:
    """A view of the neighbourhood of `box`, and its left and top edge in the plane."""
    height, width = plane.shape
    reach *= box.width
    left, top = max(0, round(box.x - reach)), max(0, round(box.y - reach))
    right = min(width, round(box.x + box.width + reach))
    bottom = min(height, round(box.y + box.height + reach))
    return plane[top : max(top, bottom), left : max(left, right)], left, top


def _shrink(region: GrayImage, factor: float) -> tuple[GrayImage, float]:
    """The region at `factor` (1 or more: as it is) of its size, and the exact factor.

    Whole blocks of pixels are averaged first: OpenCV does so ten times as fast as by a fraction, and
    what is left to shrink is small.
    """
    block = max(1, int(1 / factor))
    if block > 1:
        rows, columns = region.shape[0] // block, region.shape[1] // block
        region = _resize(region[: rows * block, : columns * block], columns, rows)
    rest = min(1.0, factor * block)
    if rest < LITTLE:
        columns, rows = round(region.shape[1] * rest), round(region.shape[0] * rest)
        rest = columns / region.shape[1]
        return _resize(region, columns, rows), rest / block
    return region, 1 / block


def _resize(image: GrayImage, columns: int, rows: int) -> GrayImage:
    return cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA).astype(
        np.uint8, copy=False
    )


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
