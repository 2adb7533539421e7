"""When the whole picture is searched, and when a frame is looked at at all."""

from fer_edge.config import TrackingConfig
from fer_edge.stamps import elapsed_s
from fer_edge.types import Stamp

ALERT_S = 2.0
"""How long after a loss the picture is searched more often: people come back, or turn round."""


class SearchPlan:
    """A search finds whom following cannot: those who have come, and those who were lost."""

    def __init__(self, config: TrackingConfig) -> None:
        self._config = config
        self._searched: Stamp | None = None
        self._lost: Stamp | None = None

    def due(self, stamp: Stamp, *, known: int) -> bool:
        """Whether to search in this frame, with so many faces being followed."""
        if self._searched is None or not known:
            return True
        alert = self._lost is not None and elapsed_s(self._lost, stamp) <= ALERT_S
        interval_s = self._config.alert_interval_s if alert else self._config.search_interval_s
        return elapsed_s(self._searched, stamp) >= interval_s

    def searched(self, stamp: Stamp) -> None:
        """The picture of this frame was searched, or need not be."""
        self._searched = stamp

    def lost(self, stamp: Stamp) -> None:
        """A known face was not found in this frame."""
        self._lost = stamp


class Watch:
    """Looks at few frames while nobody is in view."""

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
        """A face, or what may become one, was found in this frame."""
        self._somebody = stamp
