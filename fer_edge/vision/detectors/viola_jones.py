"""Viola and Jones, "Rapid object detection using a boosted cascade of simple features", 2001.

A known face is followed by the same cascade, in its own region and at its own size.  Optical flow held
faces as well and costs three times as much; a template costs less and loses them.  Only the cascade says
again in each frame that there is a face, so searches may be seldom (docs/experiments.md, `benchmarks/follow`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from fer_edge.config import ViolaJonesDetector
from fer_edge.errors import ConfigError
from fer_edge.geometry import iou, scale
from fer_edge.types import Box, Detection, GrayImage, Picture
from fer_edge.vision.detectors._parts import share, window_sizes
from fer_edge.vision.detectors._planes import Turned, even_light
from fer_edge.vision.detectors._regions import best, enlarged, shrunk

DEFAULT_CASCADE = "haarcascade_frontalface_default.xml"
FINE_CASCADE = "haarcascade_frontalface_alt2.xml"
"""For small faces: it finds half as many again of those 75 pixels high (docs/experiments.md)."""


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
    px: int = FOLLOW_PX
    """Side to which the face is scaled down."""


SHARPER = _Effort(0.4, 0.75, 1.25, 56)
"""For a face that was not found at `FOLLOW_PX`: the other cascade, at more pixels."""

EFFORTS = (_Effort(0.25, 0.87, 1.17), _Effort(0.4, 0.8, 1.25))
"""Near first, and further only where that finds nothing.

Near alone costs less than half and loses a face that turns quickly; both together hold what far alone
holds (docs/experiments.md)."""


TURN_DEG = 22.0
"""Step between planes: the cascade finds nearly every head that is tilted by half of it."""

SIDESTEP_DEG = 16.0
"""How far to either side a followed face is looked for that was not found at its tilt."""

FINE_WIDTH = 1.5
"""Width of the plane for small faces, in widths of the usual one."""

FINE_NEIGHBORS = 2
"""Overlapping finds that the cascade for small faces asks for."""


DENSE_SCALE = 2.0
"""Above this size, in cascade windows, OpenCV looks at every pixel, below at every other across and down:
a plane's sizes up to here cost little."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """One look at one plane."""

    angle: float = 0.0
    wider: float = 1.0
    """Width of the plane, in widths of the usual one."""
    fine: bool = False
    """By the other cascade."""
    small: bool = False
    """Only sizes up to `DENSE_SCALE`, which are below those of the other passes."""


UPRIGHT = (_Pass(),)
SMALL = (_Pass(wider=FINE_WIDTH, fine=True, small=True), _Pass(fine=True, small=True))
"""Faces below `min_face`: the smallest on the wider plane, the others on the usual one."""
AGAIN = (_Pass(fine=True),)
"""A second opinion: one cascade finds some of the faces that the other does not."""


class ViolaJones:
    """OpenCV's cascade on luma, scaled down, evenly lit, and turned in turn."""

    def __init__(self, config: ViolaJonesDetector) -> None:
        self._config = config
        self._cascade = _load_cascade(config.cascade)
        own = Path(cv2.data.haarcascades, FINE_CASCADE)
        self._fine = self._cascade if config.cascade else _load_cascade(own)
        steps = range(1, int((config.max_tilt_deg + TURN_DEG / 2) // TURN_DEG) + 1)
        tilted = [(_Pass(sign * n * TURN_DEG),) for n in steps for sign in (1, -1)]
        small = [SMALL] if config.small_face < config.min_face else []
        again = [AGAIN] if self._fine is not self._cascade else []
        self._turns = [UPRIGHT, *small, *tilted[:1], *again, *tilted[1:]]
        if config.threads:
            cv2.setNumThreads(config.threads)

    @property
    def turns(self) -> int:
        """Upright; small; upright again, by another cascade; tilted to either side, and further."""
        return len(self._turns)

    def search(
        self, picture: Picture, known: Sequence[Box] = (), turn: int | None = 0
    ) -> list[Detection]:
        """Every frontal face of a turn; the score is the number of overlapping finds behind it.

        Where one is `known` to be, none is looked for: a face is what the cascade spends most on.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        turns = self._turns if turn is None else [self._turns[turn % len(self._turns)]]
        found: list[Detection] = []
        passes = [one for turn_passes in turns for one in turn_passes]
        for one in passes:
            plane, shrink = self._plane(picture, known, one)
            turned = Turned.of(plane, one.angle)
            least, most = self._sizes(plane, one)
            boxes, neighbors = self._of(one).detectMultiScale2(
                turned.plane,
                scaleFactor=self._config.scale_factor,
                minNeighbors=self._neighbors(one),
                minSize=(least, least),
                maxSize=(most, most),
            )
            found += [
                enlarged(turned.back(detection), 1 / shrink)
                for detection in _detections(boxes, neighbors, 1)
            ]
        return found if len(passes) == 1 else best(found)

    def search_in_parts(
        self, picture: Picture, known: Sequence[Box] = (), turn: int = 0
    ) -> Iterator[list[Detection]]:
        """The same faces, with the last of some steps; nothing before.

        Each step looks for some sizes of face, in the plane of the first: so what is found is
        exactly what `search` finds.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        found: list[Detection] = []
        begun = False
        for one in self._turns[turn % len(self._turns)]:
            plane, shrink = self._plane(picture, known, one)
            turned = Turned.of(plane, one.angle)
            cascade = self._of(one)
            window = cascade.getOriginalWindowSize()[0]
            factor = self._config.scale_factor
            finds: list[Sequence[int]] = []
            sizes = window_sizes(window, *self._sizes(plane, one), factor)
            for least, most in share(sizes, window):
                if begun:
                    yield []
                begun = True
                boxes, _ = cascade.detectMultiScale2(
                    turned.plane,
                    scaleFactor=factor,
                    minNeighbors=0,
                    minSize=(least, least),
                    maxSize=(most, most),
                )
                finds += [tuple(map(int, box)) for box in boxes]
            # As OpenCV does itself at the end of a search; no neighbours asked for, nothing is joined.
            joined, neighbors = cv2.groupRectangles(finds, self._neighbors(one), GROUPING)
            found += [
                enlarged(turned.back(detection), 1 / shrink)
                for detection in _detections(joined, neighbors, 1)
            ]
        yield found

    def _of(self, one: _Pass) -> cv2.CascadeClassifier:
        return self._fine if one.fine else self._cascade

    def _plane(
        self, picture: Picture, known: Sequence[Box], turn: _Pass
    ) -> tuple[GrayImage, float]:
        """What is searched, and its size as a share of the picture's."""
        width = min(round(turn.wider * self._config.search_width), picture.width)
        plane = even_light(shrunk(picture, width))
        shrink = width / picture.width
        return _blank(plane, [scale(box, shrink) for box in known]), shrink

    def _sizes(self, plane: GrayImage, turn: _Pass) -> tuple[int, int]:
        """Least and largest side of a face in a turn, in pixels of the plane."""
        if not turn.small:
            return max(1, round(self._config.min_face * plane.shape[0])), min(plane.shape)
        most = int(DENSE_SCALE * self._of(turn).getOriginalWindowSize()[0])
        least = max(1, round(self._config.small_face * plane.shape[0]))
        # The smallest are looked for on the wider plane; some sizes on both, to add up their finds.
        return (least if turn.wider > 1 else max(least, int(0.8 * most / FINE_WIDTH))), most

    def _neighbors(self, turn: _Pass) -> int:
        usual = self._config.min_neighbors
        return min(usual, FINE_NEIGHBORS) if turn.fine else usual

    def follow(self, picture: Picture, expected: Sequence[Detection]) -> list[Detection]:
        """The frontal face nearest to each expected one, looked for in its neighbourhood only.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        found = (self._near(picture, one) for one in expected)
        return [detection for detection in found if detection is not None]

    def _near(self, picture: Picture, expected: Detection) -> Detection | None:
        side = max(expected.box.width, 1.0)
        for cascade, angle, effort in self._efforts(expected.angle):
            plane = picture.gray(math.ceil(picture.width * min(1.0, effort.px / side)))
            to_plane = plane.shape[1] / picture.width
            found = self._look(cascade, plane, scale(expected.box, to_plane), effort, angle)
            if found is not None:
                return enlarged(found, 1 / to_plane)
        return None

    def _efforts(self, angle: float) -> Iterator[tuple[cv2.CascadeClassifier, float, _Effort]]:
        """At the tilt it had; then by the other cascade, and tilted further to either side."""
        yield from ((self._cascade, angle, effort) for effort in EFFORTS)
        if self._fine is not self._cascade:
            yield self._fine, angle, SHARPER
        if self._config.max_tilt_deg:
            for sidestep in (-SIDESTEP_DEG, SIDESTEP_DEG):
                if abs(angle + sidestep) <= self._config.max_tilt_deg + TURN_DEG / 2:
                    yield self._cascade, angle + sidestep, EFFORTS[0]

    def _look(
        self,
        cascade: cv2.CascadeClassifier,
        plane: GrayImage,
        expected: Box,
        effort: _Effort,
        angle: float,
    ) -> Detection | None:
        """The face nearest to `expected`; boxes are in pixels of the plane."""
        angle = 0.0 if abs(angle) < SIDESTEP_DEG / 2 else angle
        region, left, top = _cut(plane, expected, effort.reach)
        side = max(expected.width, 1.0)
        if min(region.shape) < side * effort.smallest:
            return None  # it has left the picture
        region, shrink = _shrink(region, effort.px / side)
        smallest, largest = (
            max(1, round(side * shrink * size)) for size in (effort.smallest, effort.largest)
        )
        turned = Turned.of(even_light(region), angle)
        boxes, neighbors = cascade.detectMultiScale2(
            turned.plane,
            scaleFactor=FOLLOW_STEP,
            minNeighbors=FOLLOW_NEIGHBORS,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        found = [
            _moved(enlarged(turned.back(one), 1 / shrink), left, top)
            for one in _detections(boxes, neighbors, 1)
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


def _moved(found: Detection, x: float, y: float) -> Detection:
    box = found.box
    return replace(found, box=Box(box.x + x, box.y + y, box.width, box.height))


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
