"""Which detection continues which face."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from fer_edge.config import TrackingConfig
from fer_edge.geometry import iou, moved_to
from fer_edge.stamps import clock_step, elapsed_s
from fer_edge.types import Box, Detection, Stamp, Track
from fer_edge.vision.filter import Motion

REACH = 0.8
"""Without overlap, a face is still the same within this many of its widths: at few frames a second it
jumps further than it is wide."""


@dataclass
class _Candidate:
    """A face in the making; `id` is 0 until it is confirmed."""

    motion: Motion
    found: Detection
    """As it was detected last."""
    since: datetime
    """UTC capture of the first frame, by the clock as it is set now."""
    last: Stamp
    hits: deque[bool]
    id: int = 0


class Tracker:
    """Joins detections to tracks by overlap.

    A face counts once it was detected in `confirm_hits` of `confirm_window` frames, so that a
    one-frame false find is never published; it keeps its last box while the detector misses it,
    and is gone after `lost_after_s`.
    """

    def __init__(self, config: TrackingConfig, *, ids: Iterator[int] | None = None) -> None:
        self._config = config
        self._ids = ids if ids is not None else count(1)
        self._candidates: list[_Candidate] = []
        self._stamp: Stamp | None = None
        """Of the last frame."""

    def update(self, detections: Sequence[Detection], stamp: Stamp) -> tuple[Track, ...]:
        """The confirmed faces after one more frame, in the order in which they appeared."""
        self._follow_clock(stamp)
        pairs = self._match(detections, stamp)
        for index, candidate in enumerate(self._candidates):
            candidate.hits.append(index in pairs)
            if index in pairs:
                since_s = elapsed_s(candidate.last, stamp)
                candidate.found = detections[pairs[index]]
                candidate.motion = candidate.motion.correct(candidate.found.box, since_s)
                candidate.last = stamp
        taken = set(pairs.values())
        self._candidates += [
            _Candidate(
                Motion.at_rest(detection.box),
                detection,
                stamp.captured_at,
                stamp,
                deque([True], maxlen=self._config.confirm_window),
            )
            for index, detection in enumerate(detections)
            if index not in taken
        ]
        self._candidates = [one for one in self._candidates if self._stays(one, stamp)]
        return tuple(
            Track(
                one.id,
                one.motion.predict(elapsed_s(one.last, stamp)),
                one.since,
                seen=one.hits[-1],
                angle=one.found.angle,
                landmarks=one.found.landmarks if one.hits[-1] else (),
            )
            for one in self._confirmed()
        )

    def expected(self, stamp: Stamp) -> tuple[Detection, ...]:
        """Where and how the faces will be in this frame, those not yet confirmed too."""
        return tuple(
            moved_to(one.found, one.motion.predict(elapsed_s(one.last, stamp)))
            for one in self._candidates
        )

    @property
    def ids(self) -> tuple[int, ...]:
        """Of the faces in `expected`, in the same order; 0 for those not yet confirmed."""
        return tuple(one.id for one in self._candidates)

    @property
    def missing(self) -> bool:
        """Whether a confirmed face was not detected in the last frame."""
        return any(one.id and not one.hits[-1] for one in self._candidates)

    def reset(self) -> None:
        """Forget every face: the camera was lost."""
        self._candidates.clear()

    def _follow_clock(self, stamp: Stamp) -> None:
        """Where the clock was set back, no face may have been seen since a time that is yet to come."""
        if self._stamp is not None and (step := clock_step(self._stamp, stamp)):
            for candidate in self._candidates:
                candidate.since += step
        self._stamp = stamp

    def _match(self, detections: Sequence[Detection], now: Stamp) -> dict[int, int]:
        """Candidate to detection, best first: by overlap, and what is left by nearness."""
        predicted = self.expected(now)
        scores = [
            (self._likeness(one.box, detection.box), ci, di)
            for ci, one in enumerate(predicted)
            for di, detection in enumerate(detections)
        ]
        pairs: dict[int, int] = {}
        taken: set[int] = set()
        for score, ci, di in sorted(scores, reverse=True):
            if score > 0 and ci not in pairs and di not in taken:
                pairs[ci] = di
                taken.add(di)
        return pairs

    def _likeness(self, expected: Box, found: Box) -> float:
        """Above 1 for enough overlap, up to 1 for nearness at a like size, 0 for another face."""
        overlap = iou(expected, found)
        if overlap >= self._config.iou:
            return 1 + overlap
        if not 0.5 < found.width / expected.width < 2:
            return 0.0
        x = found.x + found.width / 2 - expected.x - expected.width / 2
        y = found.y + found.height / 2 - expected.y - expected.height / 2
        return max(0.0, 1 - math.hypot(x, y) / (REACH * expected.width))

    def _stays(self, candidate: _Candidate, now: Stamp) -> bool:
        if candidate.id == 0 and not any(candidate.hits):
            return False
        return elapsed_s(candidate.last, now) <= self._config.lost_after_s

    def _confirmed(self) -> list[_Candidate]:
        for candidate in self._candidates:
            if candidate.id == 0 and sum(candidate.hits) >= self._config.confirm_hits:
                candidate.id = next(self._ids)
        return [candidate for candidate in self._candidates if candidate.id]
