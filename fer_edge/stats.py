"""Small meters for what the diagnostics and the table show; safe to use from several threads."""

import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class Counter:
    """Counts up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def add(self, count: int = 1) -> None:
        """Count `count` more."""
        with self._lock:
            self._count += count

    @property
    def count(self) -> int:
        """How many so far."""
        with self._lock:
            return self._count


class RateMeter:
    """Events a second over the last few seconds, and how many there were since the start."""

    def __init__(
        self, window_s: float = 5.0, *, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._lock = threading.Lock()
        self._window_ns = round(window_s * NS_PER_S)
        self._clock_ns = clock_ns
        self._first_ns: int | None = None
        self._events_ns: deque[int] = deque()
        self._count = 0

    def add(self) -> None:
        """One event, now."""
        with self._lock:
            now_ns = self._clock_ns()
            if self._first_ns is None:
                self._first_ns = now_ns
            self._count += 1
            self._events_ns.append(now_ns)
            self._forget(now_ns)

    @property
    def count(self) -> int:
        """How many events so far, within the window or not."""
        with self._lock:
            return self._count

    def rate_hz(self) -> float:
        """Events a second; 0 before the second event."""
        with self._lock:
            now_ns = self._clock_ns()
            self._forget(now_ns)
            if self._first_ns is None:
                return 0.0
            age_ns = now_ns - self._first_ns
            if age_ns >= self._window_ns:
                return len(self._events_ns) * NS_PER_S / self._window_ns
            # Too young for a whole window: the first event opened it, so it is no event within it.
            return (len(self._events_ns) - 1) * NS_PER_S / age_ns if age_ns > 0 else 0.0

    def _forget(self, now_ns: int) -> None:
        while self._events_ns and self._events_ns[0] <= now_ns - self._window_ns:
            self._events_ns.popleft()


class LatencyMeter:
    """Median, 95th percentile and mean of the last `size` durations."""

    def __init__(self, size: int = 1000) -> None:
        self._lock = threading.Lock()
        self._durations_ns: deque[int] = deque(maxlen=size)

    def add(self, duration_ns: int) -> None:
        """One duration in nanoseconds."""
        with self._lock:
            self._durations_ns.append(duration_ns)

    def summary_ms(self) -> dict[str, float] | None:
        """`p50`, `p95` and `mean` in milliseconds, to the microsecond; None without a duration.

        Percentiles are interpolated linearly.
        """
        with self._lock:
            durations_ns = np.array(self._durations_ns, dtype=np.float64)
        if durations_ns.size == 0:
            return None
        p50, p95 = np.percentile(durations_ns, (50, 95))
        values = {"p50": p50, "p95": p95, "mean": durations_ns.mean()}
        return {name: round(float(value) / NS_PER_MS, 3) for name, value in values.items()}
