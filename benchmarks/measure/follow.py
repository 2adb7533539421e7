"""`benchmarks/follow`: a known face by cascade in its region, by optical flow, or by its template."""

import argparse
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.config import ViolaJonesDetector
from fer_edge.geometry import iou
from fer_edge.sources.demo import Demo
from fer_edge.sources.file import VideoFile
from fer_edge.types import Box, Detection, Frame, Picture, Source
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.detectors.viola_jones import _shrink
from measure import report

REFERENCE_DETECTOR = ViolaJonesDetector(scale_factor=1.1, min_neighbors=4)
"""Finds the faces that count as true, by a search of every frame."""
SAME_FACE = 0.4
FRAMES_UNTIL_ABSENT = 8
"""After more frames without a face, a method that still reports one reports a false box."""


Window = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels of the picture."""


class Follower(Protocol):
    """Follows one face."""

    def start(self, picture: Picture, box: Box) -> None:
        """It is here."""

    def step(self, picture: Picture) -> Box | None:
        """Where it is in the next picture."""


class Cascade:
    """The method of the daemon: its cascade in the face's region."""

    def __init__(self) -> None:
        self._detector = open_detector(ViolaJonesDetector())

    def start(self, picture: Picture, box: Box) -> None:
        """It is here."""
        del picture
        self._box = box

    def step(self, picture: Picture) -> Box | None:
        """Where it is in the next picture."""
        found = self._detector.follow(picture, [Detection(self._box, 1.0)])
        if found:
            self._box = found[0].box
        return found[0].box if found else None


class Flow:
    """Median flow (Kalal, Mikolajczyk and Matas, "Forward-Backward Error", 2010).

    A grid of points by Lucas and Kanade's pyramid, forth and back; the better half moves the box by
    its median, and scales it by the median change of distance. The face is 48 px wide in the plane.
    """

    FACE_PX = 48
    POINTS = 8
    WORST_PX = 2.0
    """Points that miss themselves by more, on the way back, mean that the face is lost."""

    def start(self, picture: Picture, box: Box) -> None:
        """It is here."""
        self._factor = min(1.0, self.FACE_PX / box.width)
        self._picture, self._box = picture, box

    def step(self, picture: Picture) -> Box | None:
        """Where it is in the next picture."""
        left, top, right, bottom = window = _around(picture, self._box, 0.5)
        (before, factor), (now, _) = (
            _shrink(one.gray()[top:bottom, left:right], self._factor)
            for one in (self._picture, picture)
        )
        points = self._grid(window, factor)
        there, ok, _ = cv2.calcOpticalFlowPyrLK(before, now, points, None, maxLevel=2)
        back, ok_too, _ = cv2.calcOpticalFlowPyrLK(now, before, there, None, maxLevel=2)
        error = np.linalg.norm(back - points, axis=1)
        error[(ok & ok_too).ravel() == 0] = np.inf
        middle = float(np.median(error))
        if middle > self.WORST_PX:
            return None
        good = error <= middle
        self._move(points[good] / factor, there[good] / factor)
        self._picture = picture
        return self._box

    def _grid(self, window: Window, factor: float) -> NDArray[np.float32]:
        """In pixels of the cut."""
        box, steps = self._box, (np.arange(self.POINTS) + 0.5) / self.POINTS
        x, y = np.meshgrid(box.width * steps, box.height * steps)
        points = np.stack([x.ravel() + box.x - window[0], y.ravel() + box.y - window[1]], axis=1)
        return np.asarray(points * factor, np.float32)

    def _move(self, before: NDArray[np.float32], after: NDArray[np.float32]) -> None:
        x, y = np.median(after - before, axis=0)
        first, second = np.triu_indices(len(before), 1)
        apart = np.linalg.norm(before[first] - before[second], axis=1)
        now = np.linalg.norm(after[first] - after[second], axis=1)
        grown = float(np.median(now[apart > 0] / apart[apart > 0]))
        box = self._box
        width, height = box.width * grown, box.height * grown
        middle = (box.x + box.width / 2 + float(x), box.y + box.height / 2 + float(y))
        self._box = Box(middle[0] - width / 2, middle[1] - height / 2, width, height)


class Template:
    """Normalised cross-correlation of the face as it was found, 32 px wide, in three sizes."""

    FACE_PX = 32
    SIZES = (1.0, 0.95, 1.05)
    MIN_CORRELATION = 0.6
    """Correlation below which the face is lost."""

    def start(self, picture: Picture, box: Box) -> None:
        """It is here."""
        self._box = box
        left, top, right, bottom = _around(picture, box, 0.0)
        region = picture.gray()[top:bottom, left:right]
        self._face = cv2.resize(region, (self.FACE_PX, self.FACE_PX), interpolation=cv2.INTER_AREA)

    def step(self, picture: Picture) -> Box | None:
        """Where it is in the next picture."""
        best, found = self.MIN_CORRELATION, None
        left, top, right, bottom = _around(picture, self._box, 0.4)
        region = picture.gray()[top:bottom, left:right]
        for size in self.SIZES:
            small, factor = _shrink(region, self.FACE_PX / (self._box.width * size))
            if min(small.shape) < self.FACE_PX:
                continue
            likeness = cv2.matchTemplate(small, self._face, cv2.TM_CCOEFF_NORMED)
            _, highest, _, (x, y) = cv2.minMaxLoc(likeness)
            if highest > best:
                side = self._box.width * size
                best, found = highest, Box(left + x / factor, top + y / factor, side, side)
        if found is not None:
            self._box = found
        return found


def _around(picture: Picture, box: Box, reach: float) -> Window:
    left, top = max(0, round(box.x - reach * box.width)), max(0, round(box.y - reach * box.height))
    right = min(picture.width, round(box.x + box.width * (1 + reach)))
    bottom = min(picture.height, round(box.y + box.height * (1 + reach)))
    return left, top, max(right, left + 8), max(bottom, top + 8)


@dataclass
class Score:
    """Results of one method, over any number of recordings."""

    times_ms: list[float] = field(default_factory=list)
    expected: int = 0
    held: int = 0
    overlaps: list[float] = field(default_factory=list)
    """With what the search found, of those held."""
    absent: int = 0
    """Frames in which the face had been gone for long."""
    false_boxes: int = 0
    """Those of them with a box all the same."""


def follow(
    follower: Follower,
    frames: Sequence[Frame],
    truth: Sequence[Box | None],
    score: Score,
    every: int,
) -> None:
    """One face through one recording, corrected by a search once in `every` frames."""
    active, missing = False, 0
    for number, (frame, there) in enumerate(zip(frames, truth, strict=True)):
        missing = 0 if there is not None else missing + 1
        if there is not None and (not active or number % every == 0):
            follower.start(frame.picture, there)
            active = True
            continue
        box = None
        if active:
            begun = time.process_time_ns()
            box = follower.step(frame.picture)
            score.times_ms.append((time.process_time_ns() - begun) / 1e6)
        if there is not None:
            score.expected += 1
            overlap = 0.0 if box is None else iou(box, there)
            if overlap >= SAME_FACE:
                score.held += 1
                score.overlaps.append(overlap)
        elif missing > FRAMES_UNTIL_ABSENT:
            score.absent += 1
            score.false_boxes += box is not None
        active = box is not None or there is not None


def recordings() -> Iterable[tuple[str, Source]]:
    """The demo, and clips of real faces where there are any."""
    yield "demo", Demo(fast=True, frames=600)
    folder = Path(os.environ.get("FER_EDGE_DATA", "-")) / "clips"
    for file in ("single_face.mp4", "face_noface.mov"):
        if (folder / file).exists():
            yield file, VideoFile(folder / file, fast=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/follow", description=__doc__)
    parser.add_argument(
        "--every", type=int, default=30, help="frames between searches, which correct it"
    )
    options = parser.parse_args()
    print(report.machine() + "\n")
    methods = {"cascade in its region": Cascade, "optical flow": Flow, "template": Template}
    scores = {name: Score() for name in methods}
    reference, names = open_detector(REFERENCE_DETECTOR), []
    for name, source in recordings():
        names.append(name)
        with source.open() as stream:
            frames = list(iter(stream.read, None))
        truth = [_largest(reference.search(frame.picture)) for frame in frames]
        for follower, make in methods.items():
            follow(make(), frames, truth, scores[follower], options.every)
    header = (
        "method",
        "ms a face, processor time",
        "faces held",
        "overlap, median (10th percentile)",
        "held though long gone",
    )
    print(report.table(header, [(follower, *_row(score)) for follower, score in scores.items()]))
    print("\n" + ", ".join(names))
    return 0


def _largest(found: Sequence) -> Box | None:
    return max((one.box for one in found), key=lambda box: box.width, default=None)


def _row(score: Score) -> tuple[str, ...]:
    low, median, high = np.percentile(score.times_ms, [10, 50, 90])
    worst, overlap = np.percentile(score.overlaps or [0.0], [10, 50])
    return (
        f"{median:.2f} ({low:.2f}–{high:.2f})",
        f"{score.held} of {score.expected}",
        f"{overlap:.2f} ({worst:.2f})",
        f"{score.false_boxes} of {score.absent}",
    )
