"""What the service publishes of its own state."""

import time
from collections.abc import Callable, Mapping

from fer_edge.stats import Statistics
from fer_edge.system.board import temperature_c, throttled


class Diagnostics:
    """Values of the `diagnostics` message."""

    def __init__(self, statistics: Statistics, model: Callable[[], str], started_s: float) -> None:
        """`model` gives the name of the model in use; `started_s` is on the clock of `time.monotonic`."""
        self._statistics = statistics
        self._model = model
        self._started_s = started_s

    def read(self) -> Mapping[str, object]:
        """Rates in frames a second, over five seconds; latencies in milliseconds, of the last thousand."""
        statistics = self._statistics
        latencies = {
            "detect": statistics.detect,
            "classify": statistics.classify,
            "capture_to_result": statistics.total,
        }
        return {
            "frame_rate_in": round(statistics.captured.rate_hz(), 2),
            "frame_rate_out": round(statistics.processed.rate_hz(), 2),
            "dropped": statistics.drops.counts(),
            "searches": statistics.searches.count,
            "unreadable_frames": statistics.unreadable.count,
            "source_retries": statistics.retries.count,
            "source_lost": statistics.camera.condition.reason,
            "latency_ms": {name: meter.summary_ms() for name, meter in latencies.items()},
            "model": self._model(),
            "uptime_s": round(time.monotonic() - self._started_s, 1),
            "temperature_c": temperature_c(),
            "throttled": throttled(),
        }
