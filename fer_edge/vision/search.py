"""When the whole picture is searched, and how: the one place that decides.

Following finds the faces that are known. A search finds those that came, and those that were lost;
it costs many times as much, so it is done seldom, not while the picture stays as it was, and while
faces are followed it is spread over several frames.
"""

from collections.abc import Iterator, Sequence

from fer_edge.config import TrackingConfig
from fer_edge.stamps import elapsed_s
from fer_edge.stats import Counter
from fer_edge.types import Box, Detection, Detector, Frame, Picture, Stamp
from fer_edge.vision.motion import MotionGate

ALERT_S = 2.0
"""How long after a loss the picture is searched more often: people come back, or turn round."""

PARTS_RATE_S = 0.1
"""Where frames are further apart than this, a search is done in one: parts would take too long."""

FOLLOWED_TURNS = 3
"""While faces are followed, one search in this number is one of the other turns; the rest are upright."""

FORCED_S = 5.0
"""An unchanged picture is searched again after this time: the last search may have missed a face."""


class SearchSchedule:
    """In which frames a search is due, by time alone."""

    def __init__(self, config: TrackingConfig) -> None:
        self._config = config
        self._searched: Stamp | None = None
        self._lost: Stamp | None = None

    def due(self, stamp: Stamp, *, known: int) -> bool:
        """Whether to search in this frame, while `known` faces are being followed."""
        if self._searched is None or not known:
            return True
        alert = self._lost is not None and elapsed_s(self._lost, stamp) <= ALERT_S
        interval_s = self._config.alert_interval_s if alert else self._config.search_interval_s
        return elapsed_s(self._searched, stamp) >= interval_s

    def searched(self, stamp: Stamp) -> None:
        """Note that the picture of this frame was searched, or need not be."""
        self._searched = stamp

    def lost(self, stamp: Stamp) -> None:
        """Note that a known face was not found in this frame."""
        self._lost = stamp


class IdleRate:
    """Lets few frames through while nobody is in view."""

    def __init__(self, config: TrackingConfig) -> None:
        self._config = config
        self._somebody: Stamp | None = None
        self._looked: Stamp | None = None

    def skips(self, stamp: Stamp) -> bool:
        """Whether this frame is left out; call it once for each."""
        if self._somebody is None:
            self._somebody = stamp
        idle = elapsed_s(self._somebody, stamp) > self._config.idle_after_s
        if idle and self._looked is not None:
            # A frame a little early counts, or 30 frames a second could never make 6.
            due_s = 0.9 / self._config.idle_rate_hz
            if elapsed_s(self._looked, stamp) < due_s:
                return True
        self._looked = stamp
        return False

    def saw_somebody(self, stamp: Stamp) -> None:
        """Note that a face, or what may become one, was found in this frame."""
        self._somebody = stamp


class Search:
    """Searches a picture for new faces, if that is due and could find any."""

    def __init__(
        self,
        detector: Detector,
        schedule: SearchSchedule,
        *,
        gate: MotionGate | None = None,
        in_parts: bool = False,
        searches: Counter | None = None,
    ) -> None:
        """Set up a search.

        Args:
            detector: Searches a picture.
            schedule: When a search is due.
            gate: Holds a search back while the picture stays as it was; None: never.
            in_parts: Spread a search over several frames while faces are followed, so that no frame
                is dropped for it.
            searches: Counts searches.
        """
        self._detector = detector
        self._schedule = schedule
        self._gate = gate
        self._in_parts = in_parts
        self._turn = 0
        """Number of the next search."""
        self._unturned = 0
        """Turns in which the picture that is before the camera was not searched yet."""
        self._searches = searches or Counter()
        self._last: Stamp | None = None
        self._forced: Stamp | None = None
        self._parts: Iterator[Sequence[Detection]] | None = None
        """The search that is under way."""

    def find(self, frame: Frame, *, expected: int, known: Sequence[Box]) -> Sequence[Detection]:
        """New faces, if a search ends in this frame; called once for each frame.

        Args:
            frame: The frame.
            expected: How many faces are followed.
            known: Boxes of those that were found in this frame.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        found = self._find(frame, expected, known)
        self._last = frame.stamp
        return found

    def due(self, stamp: Stamp, *, expected: int) -> bool:
        """Whether a search may begin in this frame, while `expected` faces are followed."""
        return self._schedule.due(stamp, known=expected)

    def lost(self, stamp: Stamp) -> None:
        """Note that a known face was not found in this frame."""
        self._schedule.lost(stamp)

    def reset(self) -> None:
        """Break off the search that is under way: the pictures are others now."""
        self._parts = None
        self._forced = None

    def _find(self, frame: Frame, expected: int, known: Sequence[Box]) -> Sequence[Detection]:
        unhurried = self._in_parts and bool(known) and self._follows_closely(frame.stamp)
        if self._parts is not None and unhurried:
            found = next(self._parts, None)
            if found is not None:
                return found
            self._parts = None
        broken_off, self._parts = self._parts is not None, None
        if not broken_off and not self._begins(frame, expected, known):
            return ()
        if not self._in_parts:
            return self._detector.search(frame.picture, known, None)
        turn = self._next_turn(followed=bool(expected))
        if not unhurried:
            return self._detector.search(frame.picture, known, turn)
        self._parts = self._detector.search_in_parts(frame.picture, known, turn)
        return next(self._parts)

    def _next_turn(self, *, followed: bool) -> int:
        """Which of the detector's turns; while faces are followed most are the first."""
        turns = self._detector.turns
        number, self._turn = self._turn, self._turn + 1
        if not followed or turns == 1:
            return number % turns
        if (number + 1) % FOLLOWED_TURNS:
            return 0
        return 1 + number // FOLLOWED_TURNS % (turns - 1)

    def _begins(self, frame: Frame, expected: int, known: Sequence[Box]) -> bool:
        """Whether a search is due, and could find anything."""
        if not self._schedule.due(frame.stamp, known=expected):
            return False
        self._schedule.searched(frame.stamp)
        if not self._worthwhile(frame.picture, frame.stamp, known):
            return False
        self._searches.add()
        return True

    def _follows_closely(self, stamp: Stamp) -> bool:
        last = self._last
        if last is None:
            return False
        return 0 <= (stamp.captured_at - last.captured_at).total_seconds() <= PARTS_RATE_S

    def _worthwhile(self, picture: Picture, stamp: Stamp, known: Sequence[Box]) -> bool:
        gate = self._gate
        if gate is None:
            return True
        last = self._forced
        age_s = None if last is None else (stamp.captured_at - last.captured_at).total_seconds()
        # abs: a clock that was set back must not put it off.
        overdue = age_s is None or abs(age_s) > FORCED_S
        if overdue or gate.changed(picture, known):
            # In every turn, if it stays as it is: one may find what the others do not.
            self._unturned = self._detector.turns if self._in_parts else 1
            self._forced = stamp
        if not self._unturned:
            return False
        self._unturned -= 1
        gate.remember(picture)
        return True
