"""Which faces the network reads in a frame: never more than it has time for, and none in vain."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.tracking._time import elapsed_s
from fer_edge.types import Affect, GrayImage, Stamp, Track

THUMB_PX = 12
"""Side of the picture by which a face is compared with itself; small enough to average noise away."""

CHANGE = 3.0
"""Mean difference in levels (of 255) from which a face has changed."""


@dataclass(frozen=True)
class _Last:
    affect: Affect
    thumb: NDArray[np.float32]
    stamp: Stamp


class Turns:
    """Remembers the last reading of every face in view."""

    def __init__(
        self, *, max_faces: int, min_interval_s: float, changed_interval_s: float = 0.0
    ) -> None:
        """At most `max_faces` a frame; none that has not changed for less than the first interval.

        One that has changed waits for the second, shorter one: an expression takes longer to form.
        """
        self._max_faces = max_faces
        self._min_interval_s = min_interval_s
        self._changed_interval_s = changed_interval_s
        self._last: dict[int, _Last] = {}

    def choose(
        self, tracks: Sequence[Track], crops: Sequence[GrayImage], stamp: Stamp
    ) -> list[int]:
        """Indices of the faces to read now: new ones first, then whoever waited longest."""
        due = [
            (self._waited_s(track, stamp), -index)
            for index, (track, crop) in enumerate(zip(tracks, crops, strict=True))
            if self._is_due(track, crop, stamp)
        ]
        return sorted(-index for _, index in sorted(due, reverse=True)[: self._max_faces])

    def take(
        self,
        tracks: Sequence[Track],
        crops: Sequence[GrayImage],
        read: dict[int, Affect],
        stamp: Stamp,
    ) -> list[tuple[Track, Affect]]:
        """Every face with its newest reading; those never read yet are left out until their turn."""
        kept: dict[int, _Last] = {}
        for index, track in enumerate(tracks):
            if index in read:
                kept[track.id] = _Last(read[index], _thumb(crops[index]), stamp)
            elif track.id in self._last:
                kept[track.id] = self._last[track.id]
        self._last = kept
        return [(track, kept[track.id].affect) for track in tracks if track.id in kept]

    def _waited_s(self, track: Track, stamp: Stamp) -> float:
        last = self._last.get(track.id)
        return float("inf") if last is None else elapsed_s(last.stamp, stamp)

    def _is_due(self, track: Track, crop: GrayImage, stamp: Stamp) -> bool:
        if not track.seen:
            return False  # whoever turns away or leaves is not read from the wall behind
        last = self._last.get(track.id)
        waited_s = self._waited_s(track, stamp)
        if last is None or waited_s >= self._min_interval_s:
            return True
        if waited_s < self._changed_interval_s:
            return False
        return float(np.abs(_thumb(crop) - last.thumb).mean()) > CHANGE


def _thumb(crop: GrayImage) -> NDArray[np.float32]:
    # Some 16 pixels a cell are enough for its mean; all of a large crop cost 0.4 ms.
    step = max(1, min(crop.shape) // (4 * THUMB_PX))
    small = cv2.resize(crop[::step, ::step], (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)
