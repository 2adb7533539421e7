"""Which faces are pictures of faces: portraits, posters, frozen screens.

A person who sits still blinks some fifteen times a minute and sways by a pixel or two; a portrait does
neither.  So a face is still if the picture at its place has not changed for long by more than the camera's
noise.  The picture is compared as the logarithm of its light without its coarse part, so that a lamp, a cloud
or the camera's exposure, which multiply the light, are no change (Oppenheim, Schafer and Stockham,
"Nonlinear Filtering of Multiplied and Convolved Signals", 1968).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.geometry import iou
from fer_edge.stamps import elapsed_s
from fer_edge.types import Box, Picture, Stamp, Track

Pattern = NDArray[np.float32]
"""Shape [CELLS, CELLS], deviation 1: what is to be seen at a place, whatever the light."""

CELLS = 32
"""Cells across a face; an eye is some five wide."""
COARSE = 15
"""Cells over which the light is taken as even."""
GRID_PX = 24
"""A place begins and ends on such a grid, so that it has whole pixels in every plane of a picture."""
DARKEST = 0.3
"""Added before the logarithm, as a share of the light: what is black has nothing but noise."""
LEAST_LIGHT = 4.0
"""Grey levels."""
CHANGE = 0.3
"""Difference of a block from which it has changed, in deviations of the pattern: lids that close change three
times as much, the noise of a camera in good light a fifth of it."""
NOISE_TIMES = 35.0
"""A change must also be this many times the usual noise of a block: that of a dark one is far more."""
NOISIEST = 0.04
"""Noise of a block from which a living face could no longer be told; it is then taken for one."""
CHECK_S = 0.2
"""Seconds between two looks at a face: a blink takes as long."""
REST_S = 0.9
"""After a change a face lives, and is not looked at for so long."""
ADAPT_S = 20.0
"""Time constant with which a remembered pattern follows slow changes of the light."""
RETURN_S = 1.0
"""A picture that was covered or shaken is still again after this time; twice as long each time that it was."""
MOST_WAKES = 12
PLACES = 16
"""Pictures that are remembered while their face is not found."""
FORGET_S = 3600.0
SAME_PLACE = 0.4
"""Intersection over union of a face with a place from which it is there."""


@dataclass
class _Place:
    """A part of the frame, and what is to be seen there."""

    box: Box
    pattern: Pattern
    since: Stamp
    """From when on nothing has changed."""
    last: Stamp
    """The last look."""
    noise: float = 0.0
    """Deviation of a block from one look to the next, in deviations of the pattern."""
    looks: int = 1
    wakes: int = 0
    """How often it was still, and changed."""
    still: bool = False
    newest: Pattern = field(default_factory=lambda: np.zeros((CELLS, CELLS), np.float32))

    def look(self, pattern: Pattern, stamp: Stamp) -> bool:
        """Whether nothing has changed; the clock begins again if something has."""
        step = np.abs(pattern - self.newest)
        noise = 1.4826 / math.sqrt(2) * float(np.median(step))
        # The least of late: what moves must not pass as noise.
        gain = 1.0 if self.looks == 1 or noise < self.noise else 0.02
        self.noise += (noise - self.noise) * gain
        change = float(np.abs(pattern - self.pattern).max())
        same = change < self.limit
        seconds = elapsed_s(self.last, stamp)
        self.newest, self.last, self.looks = pattern, stamp, self.looks + 1
        if same and self.noise <= NOISIEST:
            self.pattern = self.pattern + (pattern - self.pattern) * min(
                1.0, max(1 / self.looks, seconds / ADAPT_S)
            )
            return True
        self.since = stamp
        return False

    @property
    def limit(self) -> float:
        """Difference from which the pattern has changed."""
        return max(CHANGE, NOISE_TIMES * self.noise)

    @property
    def return_s(self) -> float:
        """After how many seconds without a change it is still again, once it was."""
        return RETURN_S * 2.0 ** min(self.wakes, MOST_WAKES)


@dataclass
class _Watch:
    """A followed face: where it is looked at, and how it was followed last."""

    place: _Place
    track: Track


class Stillness:
    """Remembers what was to be seen at every followed face, and where pictures of faces were."""

    def __init__(self, still_after_s: float) -> None:
        """A face in which nothing changes for `still_after_s` seconds is still; 0: none ever is."""
        self._still_after_s = still_after_s
        self._watches: dict[int, _Watch] = {}
        self._pictures: list[_Place] = []
        """Where something was still that is not now."""
        self._looked: Stamp | None = None
        self._due = False

    def resting(self, picture: Picture, stamp: Stamp) -> dict[int, Track]:
        """The still faces that are as they were, by id: none of them need be looked for.

        To be called once for each frame, before its faces are found.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        last = self._looked
        # A frame a little early counts, or 30 frames a second could never make 5.
        self._due = last is None or not 0 <= elapsed_s(last, stamp) < 0.9 * CHECK_S
        if self._due:
            self._looked = stamp
            for watch in self._watches.values():
                if watch.place.still:
                    self._check(watch.place, picture, stamp)
        return {one: watch.track for one, watch in self._watches.items() if watch.place.still}

    def update(self, picture: Picture, tracks: Sequence[Track], stamp: Stamp) -> tuple[Track, ...]:
        """The frame's faces, told still or not; to be called after they were followed.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        if not self._still_after_s:
            return tuple(tracks)
        self._drop_lost({track.id for track in tracks}, stamp)
        for track in tracks:
            if self._due and track.seen:
                self._watch(track, picture, stamp)
        still = {one for one, watch in self._watches.items() if watch.place.still}
        return tuple(replace(one, still=True) if one.id in still else one for one in tracks)

    def reset(self) -> None:
        """The camera was lost: what is followed has ended; pictures on the wall are still there."""
        self._drop_lost(set(), None)

    def _watch(self, track: Track, picture: Picture, stamp: Stamp) -> None:
        """Look at a face that is not still."""
        watch = self._watches.get(track.id)
        if watch is not None and watch.place.still:
            return
        known = self._picture_at(track.box)
        if known is not None and self._is_back(known, picture, stamp):
            self._pictures.remove(known)
            self._watches[track.id] = _Watch(known, track)
            return
        if watch is not None and watch.place.looks <= 2 and _just(watch.place.since, stamp):
            watch.track = track
            return
        if watch is None or iou(watch.place.box, _snapped(track.box)) < SAME_PLACE:
            self._watches[track.id] = _Watch(_new_place(picture, track.box, stamp), track)
            return
        place = watch.place
        watch.track = track
        if not place.look(_pattern(picture, place.box), stamp):
            fresh = _new_place(picture, track.box, stamp)
            fresh.noise, fresh.looks = place.noise, 2
            watch.place = fresh
        elif elapsed_s(place.since, stamp) >= self._still_after_s:
            place.still = True
            # What was there before is replaced.
            self._pictures = [one for one in self._pictures if iou(one.box, place.box) < SAME_PLACE]

    def _check(self, place: _Place, picture: Picture, stamp: Stamp) -> None:
        """Look at a still face: at its first change it is living."""
        if not place.look(_pattern(picture, place.box), stamp):
            place.still = False
            place.wakes += 1
            self._pictures = [*self._pictures, replace(place)][-PLACES:]
        elif elapsed_s(place.since, stamp) > 2 * self._still_after_s:
            place.wakes = 0

    def _is_back(self, known: _Place, picture: Picture, stamp: Stamp) -> bool:
        """Whether a picture is to be seen again, and has been for long enough."""
        if elapsed_s(known.last, stamp) > FORGET_S:
            return False
        known.look(_pattern(picture, known.box), stamp)
        known.still = elapsed_s(known.since, stamp) >= known.return_s
        return known.still

    def _picture_at(self, box: Box) -> _Place | None:
        return next((one for one in self._pictures if iou(one.box, box) >= SAME_PLACE), None)

    def _drop_lost(self, followed: set[int], stamp: Stamp | None) -> None:
        for gone in self._watches.keys() - followed:
            place = self._watches.pop(gone).place
            if place.still:
                place.still = False
                place.since = place.last if stamp is None else stamp
                self._pictures = [*self._pictures, place][-PLACES:]


def _just(since: Stamp, stamp: Stamp) -> bool:
    return 0 <= elapsed_s(since, stamp) < REST_S


def _new_place(picture: Picture, box: Box, stamp: Stamp) -> _Place:
    where = _snapped(box)
    pattern = _pattern(picture, where)
    return _Place(where, pattern, stamp, stamp, newest=pattern)


def _snapped(box: Box) -> Box:
    """The box with its edges on a grid that every plane of a picture has."""
    left, top = (round(v / GRID_PX) * GRID_PX for v in (box.x, box.y))
    side = max(1, round(max(box.width, box.height) / GRID_PX)) * GRID_PX
    return Box(left, top, side, side)


def _pattern(picture: Picture, box: Box) -> Pattern:
    """What is to be seen in a box: structure alone, without light and contrast."""
    plane = picture.gray(math.ceil(picture.width * min(1.0, 2 * CELLS / box.width)))
    factor = plane.shape[1] / picture.width
    left, top = round(box.x * factor), round(box.y * factor)
    side = max(1, round(box.width * factor))
    cut = plane[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    if not cut.size:
        return np.zeros((CELLS, CELLS), np.float32)
    how = cv2.INTER_AREA if min(cut.shape) >= CELLS else cv2.INTER_LINEAR
    small = np.asarray(
        cv2.resize(cut.astype(np.float32), (CELLS, CELLS), interpolation=how), np.float32
    )
    light: NDArray[np.float32] = np.log(
        small / np.maximum(_coarse(small), LEAST_LIGHT) + np.float32(DARKEST)
    )
    fine = light - _coarse(light)
    deviation = max(float(fine.std()), 1e-3)
    # Blocks of three by three: less noise than a cell, and no larger than an eye.
    return np.asarray(cv2.blur(fine, (3, 3)) / deviation, np.float32)


def _coarse(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(
        cv2.blur(cells, (COARSE, COARSE), borderType=cv2.BORDER_REFLECT_101), np.float32
    )
