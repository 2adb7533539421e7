"""What the service counts and measures of its own work; thread-safe."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fer_edge.camera import CameraState

T = TypeVar("T")

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
        import numpy as np

        with self._lock:
            durations_ns = np.array(self._durations_ns, dtype=np.float64)
        if durations_ns.size == 0:
            return None
        p50, p95 = np.percentile(durations_ns, (50, 95))
        values = {"p50": p50, "p95": p95, "mean": durations_ns.mean()}
        return {name: round(float(value) / NS_PER_MS, 3) for name, value in values.items()}


class Latest(Generic[T]):
    """A value that changes; one thread sets it, any may read it."""

    def __init__(self, value: T) -> None:
        self._value = value

    @property
    def value(self) -> T:
        """The value set last."""
        return self._value

    def set(self, value: T) -> None:
        """Replace the value."""
        self._value = value


class Drops:
    """How many items were dropped before each stage because it was too slow, by the stage's name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, Counter] = {}

    def counter(self, name: str) -> Counter:
        """The counter of the stage `name`, made when it is first asked for."""
        with self._lock:
            return self._counters.setdefault(name, Counter())

    def counts(self) -> dict[str, int]:
        """How many items each stage has dropped since the start."""
        with self._lock:
            return {name: counter.count for name, counter in self._counters.items()}


@dataclass(frozen=True)
class Statistics:
    """What the pipeline counts and times; every meter may be read from any thread."""

    captured: RateMeter = field(default_factory=RateMeter)
    """Frames that the source delivered."""
    processed: RateMeter = field(default_factory=RateMeter)
    """Frames that became a result."""
    unreadable: Counter = field(default_factory=Counter)
    """Frames that could not be decoded."""
    searches: Counter = field(default_factory=Counter)
    """Searches of a whole picture."""
    retries: Counter = field(default_factory=Counter)
    """Attempts to open a source that was lost."""
    detect: LatencyMeter = field(default_factory=LatencyMeter)
    """Decoding, searching, tracking, cropping."""
    classify: LatencyMeter = field(default_factory=LatencyMeter)
    """The network and smoothing, all faces of a frame; frames without faces do not count."""
    total: LatencyMeter = field(default_factory=LatencyMeter)
    """From capture to the result's being handed to the sinks."""
    drops: Drops = field(default_factory=Drops)
    """What was dropped before a stage that was too slow."""
    waits: Counter = field(default_factory=Counter)
    """Rises steadily while recognition is turned off."""
    camera: CameraState = field(default_factory=CameraState)
    """Whether there are pictures, and are to be."""
    faces: Latest[int] = field(default_factory=lambda: Latest(0))
    """Number of faces in the last result."""

    @property
    def progress(self) -> int:
        """Rises with every frame that got through, every attempt to get the camera back, and while off."""
        return self.processed.count + self.retries.count + self.waits.count
