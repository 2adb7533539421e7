"""The stages between a camera and the sinks, as plain callables without threads."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fer_edge.geometry import scale
from fer_edge.preprocess import crop_face
from fer_edge.stats import Counter, LatencyMeter, RateMeter
from fer_edge.types import (
    Affect,
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

    def update(self, detections: Sequence[Detection], stamp: Stamp) -> tuple[Track, ...]:
        """The confirmed faces after one more frame."""

    def reset(self) -> None:
        """Forget every face."""


class Smoothing(Protocol):
    """What the affect stage asks of a smoother."""

    def update(
        self, tracks: Sequence[Track], readings: Sequence[Affect], stamp: Stamp
    ) -> tuple[Face, ...]:
        """One face for each track, largest first."""


@dataclass
class Statistics:
    """What the service knows of its own speed; every meter may be read from any thread."""

    captured: RateMeter = field(default_factory=RateMeter)
    """Frames that the source delivered."""
    processed: RateMeter = field(default_factory=RateMeter)
    """Frames that became a result."""
    unreadable: Counter = field(default_factory=Counter)
    """Frames that could not be decoded."""
    retries: Counter = field(default_factory=Counter)
    """Attempts to open a source that was lost."""
    detect: LatencyMeter = field(default_factory=LatencyMeter)
    """Decoding, searching, tracking, cropping."""
    classify: LatencyMeter = field(default_factory=LatencyMeter)
    """The network and smoothing, all faces of a frame; frames without faces do not count."""
    total: LatencyMeter = field(default_factory=LatencyMeter)
    """From capture to the result's being handed to the sinks."""


class Vision:
    """Finds, follows and cuts out the faces of a frame."""

    def __init__(
        self,
        detect: Detector,
        tracker: Tracking,
        *,
        margin: float,
        crop_px: int,
        statistics: Statistics | None = None,
    ) -> None:
        """`margin` is the model card's; `crop_px` is the side of the network's input."""
        self._detect = detect
        self._tracker = tracker
        self._margin = margin
        self._crop_px = crop_px
        self._statistics = statistics or Statistics()
        self._last: Stamp | None = None

    def __call__(self, item: Frame | Gap) -> FaceBatch | None:
        """The confirmed faces; none of them after a gap; None for a gap before any frame.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        if isinstance(item, Gap):
            self._tracker.reset()
            if self._last is None:
                return None
            stamp = replace(self._last, captured_ns=item.captured_ns, captured_at=item.captured_at)
            return FaceBatch(stamp, (), ())
        started_ns = time.monotonic_ns()
        tracks = self._tracker.update(self._detect(item.picture), item.stamp)
        crops = tuple(self._crop(item.picture, track) for track in tracks)
        self._statistics.detect.add(time.monotonic_ns() - started_ns)
        self._last = item.stamp
        return FaceBatch(item.stamp, tracks, crops)

    def _crop(self, picture: Picture, track: Track) -> GrayImage:
        """From the smallest plane that still has a pixel for each of the network's."""
        side = max(track.box.width, track.box.height, 1.0) * (1 + 2 * self._margin)
        share = min(1.0, self._crop_px / side)
        plane = picture.gray(math.ceil(picture.width * share))
        box = scale(track.box, plane.shape[1] / picture.width)
        return crop_face(plane, box, margin=self._margin)


class AffectStage:
    """Reads every face of a batch."""

    def __init__(
        self,
        classify: Callable[[Sequence[GrayImage]], list[Affect]],
        smoother: Smoothing,
        *,
        statistics: Statistics | None = None,
    ) -> None:
        self._classify = classify
        self._smoother = smoother
        self._statistics = statistics or Statistics()

    def __call__(self, batch: FaceBatch) -> Result:
        """The frame's faces with their readings, largest first."""
        started_ns = time.monotonic_ns()
        readings = self._classify(batch.crops) if batch.crops else []
        faces = self._smoother.update(batch.tracks, readings, batch.stamp)
        if batch.crops:
            self._statistics.classify.add(time.monotonic_ns() - started_ns)
        return Result(batch.stamp, faces)
