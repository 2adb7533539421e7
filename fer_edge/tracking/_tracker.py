"""Which detection continues which face."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from fer_edge.config import TrackingConfig
from fer_edge.geometry import blend, iou
from fer_edge.tracking._time import elapsed_s
from fer_edge.types import Box, Detection, Stamp, Track

BOX_WEIGHT = 0.6
"""Weight of a new box against the old: Viola-Jones boxes tremble by some per cent in a still face."""


@dataclass
class _Candidate:
    """A face in the making; `id` is 0 until it is confirmed."""

    box: Box
    first: Stamp
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

    def update(self, detections: Sequence[Detection], stamp: Stamp) -> tuple[Track, ...]:
        """The confirmed faces after one more frame, in the order in which they appeared."""
        pairs = self._match(detections)
        for index, candidate in enumerate(self._candidates):
            candidate.hits.append(index in pairs)
            if index in pairs:
                found = detections[pairs[index]].box
                candidate.box = blend(candidate.box, found, BOX_WEIGHT)
                candidate.last = stamp
        taken = set(pairs.values())
        self._candidates += [
            _Candidate(
                detection.box, stamp, stamp, deque([True], maxlen=self._config.confirm_window)
            )
            for index, detection in enumerate(detections)
            if index not in taken
        ]
        self._candidates = [one for one in self._candidates if self._stays(one, stamp)]
        return tuple(Track(one.id, one.box, one.first.captured_at) for one in self._confirmed())

    def reset(self) -> None:
        """Forget every face: the camera was lost."""
        self._candidates.clear()

    def _match(self, detections: Sequence[Detection]) -> dict[int, int]:
        """Candidate to detection, best overlap first."""
        overlaps = sorted(
            (
                (iou(candidate.box, detection.box), ci, di)
                for ci, candidate in enumerate(self._candidates)
                for di, detection in enumerate(detections)
            ),
            key=lambda overlap: -overlap[0],
        )
        pairs: dict[int, int] = {}
        taken: set[int] = set()
        for overlap, ci, di in overlaps:
            if overlap >= self._config.iou and ci not in pairs and di not in taken:
                pairs[ci] = di
                taken.add(di)
        return pairs

    def _stays(self, candidate: _Candidate, now: Stamp) -> bool:
        if candidate.id == 0 and not any(candidate.hits):
            return False
        return elapsed_s(candidate.last, now) <= self._config.lost_after_s

    def _confirmed(self) -> list[_Candidate]:
        for candidate in self._candidates:
            if candidate.id == 0 and sum(candidate.hits) >= self._config.confirm_hits:
                candidate.id = next(self._ids)
        return [candidate for candidate in self._candidates if candidate.id]
