"""Which faces the network reads in a frame, and whether mirrored.

At most as many as it has time for, and only those that may have changed.  A face in view is read as
it is and mirrored, in turn, and both readings are averaged: a network errs differently on the two,
and their mean is a little better, most at α = 0.25 (models/README.md), at no cost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.calibration import with_temperature
from fer_edge.preprocess import mirrored
from fer_edge.stamps import elapsed_s
from fer_edge.types import Affect, FaceBatch, GrayImage, Stamp, Track

Classify = Callable[[Sequence[GrayImage]], list[Affect]]
"""One reading for each luma crop, in the same order."""

THUMB_PX = 12
"""Side of the picture by which a face is compared with itself; small enough to average noise away."""

CHANGE = 3.0
"""Mean difference in levels (of 255) from which a face has changed."""

STILL_INTERVAL_S = 10.0
"""Seconds after which a still face, a portrait, is read again."""

AVERAGE_WITHIN_S = 0.5
"""Readings that are further apart are not averaged: the face may show something else by then."""


@dataclass(frozen=True)
class _Last:
    affect: Affect
    """The averaged reading, which is published."""
    reading: Affect
    """The last reading alone."""
    mirrored: bool
    """Whether that was of the mirrored crop."""
    thumb: NDArray[np.float32]
    stamp: Stamp


class Turns:
    """Remembers the last reading of every face in view."""

    def __init__(
        self,
        *,
        max_faces: int,
        min_interval_s: float,
        changed_interval_s: float = 0.0,
        mirror: bool = True,
    ) -> None:
        """At most `max_faces` a frame; none that has not changed for less than the first interval.

        One that has changed waits for the second, shorter one: an expression takes longer to form.
        Without `mirror` every reading is of the face as it is, and stands alone.
        """
        self._max_faces = max_faces
        self._min_interval_s = min_interval_s
        self._changed_interval_s = changed_interval_s
        self._mirror = mirror
        self._last: dict[int, _Last] = {}

    def read(
        self, batch: FaceBatch, classify: Classify, *, averaged_temperature: float = 1.0
    ) -> list[tuple[Track, Affect]]:
        """Read the faces whose turn it is.

        Args:
            batch: The faces of a frame.
            classify: Called once at most, with the crops that are read, some of them mirrored.
            averaged_temperature: From the model's card.

        Returns:
            Every face with its newest reading; one that was never read is left out until its turn.
        """
        stamp = batch.stamp
        chosen = self._choose(batch)
        views = [self._view(batch.tracks[i], batch.crops[i], stamp) for i in chosen]
        readings = dict(zip(chosen, classify(views) if views else [], strict=True))
        remembered: dict[int, _Last] = {}
        for index, track in enumerate(batch.tracks):
            if index in readings:
                remembered[track.id] = self._remember(
                    track, batch.crops[index], readings[index], stamp, averaged_temperature
                )
            elif track.id in self._last:
                remembered[track.id] = self._last[track.id]
        self._last = remembered
        return [
            (track, remembered[track.id].affect) for track in batch.tracks if track.id in remembered
        ]

    def _choose(self, batch: FaceBatch) -> list[int]:
        """Indices of the faces to read now: new ones first, then the one that waited longest."""
        due = [
            (self._waited_s(track, batch.stamp), -index)
            for index, (track, crop) in enumerate(zip(batch.tracks, batch.crops, strict=True))
            if self._is_due(track, crop, batch.stamp)
        ]
        return sorted(-index for _, index in sorted(due, reverse=True)[: self._max_faces])

    def _view(self, track: Track, crop: GrayImage, stamp: Stamp) -> GrayImage:
        """The crop of a face whose turn it is, as it is or mirrored: not as the last time."""
        return mirrored(crop) if _is_mirrored(self._previous_reading(track, stamp)) else crop

    def _remember(
        self, track: Track, crop: GrayImage, reading: Affect, stamp: Stamp, temperature: float
    ) -> _Last:
        previous = self._previous_reading(track, stamp)
        affect = reading if previous is None else averaged(previous.reading, reading, temperature)
        return _Last(affect, reading, _is_mirrored(previous), _thumb(crop), stamp)

    def _previous_reading(self, track: Track, stamp: Stamp) -> _Last | None:
        """The last reading, if the next one is to be averaged with it."""
        averaged = self._mirror and self._waited_s(track, stamp) <= AVERAGE_WITHIN_S
        return self._last[track.id] if averaged else None

    def _waited_s(self, track: Track, stamp: Stamp) -> float:
        last = self._last.get(track.id)
        return float("inf") if last is None else elapsed_s(last.stamp, stamp)

    def _is_due(self, track: Track, crop: GrayImage, stamp: Stamp) -> bool:
        if not track.seen:
            return (
                False  # a face that has turned away or left: the crop may show the wall behind it
            )
        last = self._last.get(track.id)
        waited_s = self._waited_s(track, stamp)
        least_s = max(self._min_interval_s, STILL_INTERVAL_S if track.still else 0.0)
        if last is None or waited_s >= least_s:
            return True
        if track.still:
            return False
        if waited_s < self._changed_interval_s:
            return False
        return float(np.abs(_thumb(crop) - last.thumb).mean()) > CHANGE


def averaged(reading: Affect, other: Affect, temperature: float) -> Affect:
    """The mean of two readings of a face, of which one is mirrored.

    Two that differ make a mean less sure than it is right: ``temperature``, the card's
    ``averaged_temperature``, makes up for it.
    """
    mean = reading.mixed(other, 0.5)
    if temperature == 1:
        return mean
    probabilities = with_temperature(mean.probabilities, temperature)
    probabilities.flags.writeable = False
    return replace(mean, probabilities=probabilities)


def _is_mirrored(previous: _Last | None) -> bool:
    """Whether a face is read mirrored, to be averaged with that reading."""
    return previous is not None and not previous.mirrored


def _thumb(crop: GrayImage) -> NDArray[np.float32]:
    # Some 16 pixels a cell are enough for its mean; all of a large crop would cost as much as reading it.
    step = max(1, min(crop.shape) // (4 * THUMB_PX))
    small = cv2.resize(crop[::step, ::step], (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)
