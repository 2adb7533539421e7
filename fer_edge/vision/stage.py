"""The stages between a camera and the sinks, as plain callables without threads."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fer_edge.geometry import iou, scale
from fer_edge.preprocess import crop_face
from fer_edge.stats import Counter, LatencyMeter, RateMeter
from fer_edge.types import (
    Affect,
    Box,
    Detection,
    Detector,
    Face,
    FaceBatch,
    Frame,
    Gap,
    GrayImage,
    Picture,
    Result,
    Stamp,
    Track,
)


class Tracking(Protocol):
    """What the vision stage asks of a tracker."""

    @property
    def missing(self) -> bool:
        """Whether a confirmed face was not detected in the last frame."""

    def expected(self, stamp: Stamp) -> tuple[Box, ...]:
        """Where the known faces will be in this frame."""

    def update(self, detections: Sequence[Detection], stamp: Stamp) -> tuple[Track, ...]:
        """The confirmed faces after one more frame."""

    def reset(self) -> None:
        """Forget every face."""


class Planning(Protocol):
    """When the whole picture is searched."""

    def due(self, stamp: Stamp, *, known: int) -> bool:
        """Whether to search in this frame, with so many faces being followed."""

    def searched(self, stamp: Stamp) -> None:
        """The picture of this frame was searched, or need not be."""

    def lost(self, stamp: Stamp) -> None:
        """A known face was not found in this frame."""


class Watching(Protocol):
    """Which frames are looked at at all."""

    def skips(self, stamp: Stamp) -> bool:
        """Whether this frame is left out; called once for each."""

    def saw_somebody(self, stamp: Stamp) -> None:
        """A face, or what may become one, was found in this frame."""


class TakingTurns(Protocol):
    """Which faces are read in a frame."""

    def choose(
        self, tracks: Sequence[Track], crops: Sequence[GrayImage], stamp: Stamp
    ) -> list[int]:
        """Indices of the faces to read now."""

    def view(self, track: Track, crop: GrayImage, stamp: Stamp) -> GrayImage:
        """What of a chosen face is read: the crop, or its mirror image."""

    def take(
        self,
        tracks: Sequence[Track],
        crops: Sequence[GrayImage],
        read: dict[int, Affect],
        stamp: Stamp,
    ) -> list[tuple[Track, Affect]]:
        """Every face that was ever read, with its newest reading."""


class Gate(Protocol):
    """Whether a search could find anything new."""

    def changed(self, picture: Picture, known: Sequence[Box]) -> bool:
        """Whether the picture differs from the remembered one, but for the known faces."""

    def remember(self, picture: Picture) -> None:
        """Note that the picture was searched."""


class Smoothing(Protocol):
    """What the affect stage asks of a smoother."""

    def update(
        self, tracks: Sequence[Track], readings: Sequence[Affect], stamp: Stamp
    ) -> tuple[Face, ...]:
        """One face for each track, largest first."""


PARTS_RATE_S = 0.1
"""Where frames are further apart than this, a search is done in one: parts would take too long."""

FORCED_S = 5.0
"""An unchanged picture is searched again after so long: the last search may have missed somebody."""

SAME_FACE = 0.3
"""Overlap from which two detections are one face."""


def distinct(detections: Sequence[Detection]) -> list[Detection]:
    """Each face once; of two that overlap, the first."""
    kept: list[Detection] = []
    for detection in detections:
        if all(iou(detection.box, other.box) < SAME_FACE for other in kept):
            kept.append(detection)
    return kept


@dataclass
class Statistics:
    """What the service knows of its own speed; every meter may be read from any thread."""

    captured: RateMeter = field(default_factory=RateMeter)
    """Frames that the source delivered."""
    processed: RateMeter = field(default_factory=RateMeter)
    """Frames that became a result."""
    unreadable: Counter = field(default_factory=Counter)
    """Frames that could not be decoded."""
    searches: Counter = field(default_factory=Counter)
    """Searches of a whole picture."""
    retries: Counter = field(default_factory=Counter)
    """Attempts to open a source that was lost."""
    detect: LatencyMeter = field(default_factory=LatencyMeter)
    """Decoding, searching, tracking, cropping."""
    classify: LatencyMeter = field(default_factory=LatencyMeter)
    """The network and smoothing, all faces of a frame; frames without faces do not count."""
    total: LatencyMeter = field(default_factory=LatencyMeter)
    """From capture to the result's being handed to the sinks."""


@dataclass(frozen=True)
class Eyes:
    """What finds faces, and what saves it work."""

    detector: Detector
    tracker: Tracking
    plan: Planning
    gate: Gate | None = None
    """None: every picture that is due is searched."""
    watch: Watching | None = None
    """None: every frame is looked at, as in a recording."""
    in_parts: bool = False
    """Spread a search over some frames while faces are followed, so that none is dropped for it."""


class Vision:
    """Finds, follows and cuts out the faces of a frame.

    A known face is looked for in its own neighbourhood, in every frame; the whole picture is
    searched only now and then, and not again while it stays as it was.
    """

    def __init__(
        self,
        eyes: Eyes,
        *,
        margin: float,
        crop_px: int,
        statistics: Statistics | None = None,
    ) -> None:
        """`margin` is the model card's; `crop_px` is the side of the network's input."""
        self._eyes = eyes
        self._margin = margin
        self._crop_px = crop_px
        self._statistics = statistics or Statistics()
        self._last: Stamp | None = None
        self._forced: Stamp | None = None
        self._parts: Iterator[Sequence[Detection]] | None = None
        """The search that is under way."""

    def __call__(self, item: Frame | Gap) -> FaceBatch | None:
        """The confirmed faces; none of them after a gap.

        None for a frame that is left out while nobody is in view, and for a gap before any frame.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        if isinstance(item, Gap):
            return self._forget(item)
        watch = self._eyes.watch
        if watch is not None and watch.skips(item.stamp):
            return None
        started_ns = time.monotonic_ns()
        if self._resized(item.stamp):
            self._start_anew()
        detections = self._detect(item)
        if watch is not None and detections:
            watch.saw_somebody(item.stamp)
        tracks = self._eyes.tracker.update(detections, item.stamp)
        if self._eyes.tracker.missing:
            self._eyes.plan.lost(item.stamp)
        crops = tuple(self._crop(item.picture, track) for track in tracks)
        self._statistics.detect.add(time.monotonic_ns() - started_ns)
        self._last = item.stamp
        return FaceBatch(item.stamp, tracks, crops)

    def _forget(self, gap: Gap) -> FaceBatch | None:
        self._start_anew()
        if self._last is None:
            return None
        stamp = replace(self._last, captured_ns=gap.captured_ns, captured_at=gap.captured_at)
        return FaceBatch(stamp, (), ())

    def _resized(self, stamp: Stamp) -> bool:
        """Whether the pictures have another size now: no box of before means anything in them."""
        last = self._last
        return last is not None and (last.width, last.height) != (stamp.width, stamp.height)

    def _start_anew(self) -> None:
        self._eyes.tracker.reset()
        self._parts = None
        self._forced = None

    def _detect(self, frame: Frame) -> list[Detection]:
        """The known faces by following; with them, now and then, the new ones by a search."""
        eyes, picture, stamp = self._eyes, frame.picture, frame.stamp
        expected = eyes.tracker.expected(stamp)
        if expected:
            # The widest plane first: a JPEG is then decoded once for following and crops, not twice.
            picture.gray(max(self._crop_width(picture, box) for box in expected))
        found = distinct(eyes.detector.follow(picture, expected)) if expected else []
        new = self._search(frame, len(expected), [one.box for one in found])
        return distinct([*found, *new]) if new else found

    def _search(self, frame: Frame, expected: int, known: Sequence[Box]) -> Sequence[Detection]:
        """What a search finds beside the `known` faces, if one is due, or under way and done now."""
        eyes, picture, stamp = self._eyes, frame.picture, frame.stamp
        unhurried = eyes.in_parts and bool(known) and self._follows_closely(stamp)
        if self._parts is not None and unhurried:
            found = next(self._parts, None)
            if found is not None:
                return found
            self._parts = None
        broken_off, self._parts = self._parts is not None, None
        if not broken_off and not self._search_begins(frame, expected, known):
            return ()
        if not unhurried:
            return eyes.detector.search(picture, known)
        self._parts = eyes.detector.search_in_parts(picture, known)
        return next(self._parts)

    def _search_begins(self, frame: Frame, expected: int, known: Sequence[Box]) -> bool:
        """Whether one is due, and could find anything."""
        plan = self._eyes.plan
        if not plan.due(frame.stamp, known=expected):
            return False
        plan.searched(frame.stamp)
        if not self._worth_searching(frame.picture, frame.stamp, known):
            return False
        self._statistics.searches.add()
        return True

    def _follows_closely(self, stamp: Stamp) -> bool:
        last = self._last
        if last is None:
            return False
        return 0 <= (stamp.captured_at - last.captured_at).total_seconds() <= PARTS_RATE_S

    def _worth_searching(self, picture: Picture, stamp: Stamp, known: Sequence[Box]) -> bool:
        gate = self._eyes.gate
        if gate is None:
            return True
        last = self._forced
        age_s = None if last is None else (stamp.captured_at - last.captured_at).total_seconds()
        # abs: a clock that was set back must not put it off.
        overdue = age_s is None or abs(age_s) > FORCED_S
        if not overdue and not gate.changed(picture, known):
            return False
        gate.remember(picture)
        self._forced = stamp
        return True

    def _crop_width(self, picture: Picture, box: Box) -> int:
        """Width of a plane that has a pixel of the face for each of the network's."""
        side = max(box.width, box.height, 1.0) * (1 + 2 * self._margin)
        return math.ceil(picture.width * min(1.0, self._crop_px / side))

    def _crop(self, picture: Picture, track: Track) -> GrayImage:
        """From the smallest plane that is large enough."""
        plane = picture.gray(self._crop_width(picture, track.box))
        box = scale(track.box, plane.shape[1] / picture.width)
        return crop_face(plane, box, margin=self._margin)


class AffectStage:
    """Reads the faces of a batch whose turn it is."""

    def __init__(
        self,
        classify: Callable[[Sequence[GrayImage]], list[Affect]],
        turns: TakingTurns,
        smoother: Smoothing,
        *,
        statistics: Statistics | None = None,
    ) -> None:
        self._classify = classify
        self._turns = turns
        self._smoother = smoother
        self._statistics = statistics or Statistics()

    def __call__(self, batch: FaceBatch) -> Result:
        """The frame's faces with their readings, largest first."""
        started_ns = time.monotonic_ns()
        chosen = self._turns.choose(batch.tracks, batch.crops, batch.stamp)
        views = [self._turns.view(batch.tracks[i], batch.crops[i], batch.stamp) for i in chosen]
        readings = self._classify(views) if views else []
        read = dict(zip(chosen, readings, strict=True))
        known = self._turns.take(batch.tracks, batch.crops, read, batch.stamp)
        tracks, affects = [track for track, _ in known], [affect for _, affect in known]
        faces = self._smoother.update(tracks, affects, batch.stamp)
        if batch.crops:
            self._statistics.classify.add(time.monotonic_ns() - started_ns)
        return Result(batch.stamp, faces)
