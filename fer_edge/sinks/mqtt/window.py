"""How much may be under way to a broker; pure, with an injected clock.

What the kernels' buffers hold arrives however old it has become: a broker that stood still for 40 s
delivered 390 old faces. So only what the broker has acknowledged counts as delivered, and as long as
it acknowledges late nothing more is sent.
"""

import threading
from collections import deque
from collections.abc import Callable

from fer_edge.stats import NS_PER_MS, NS_PER_S

PER_TOPIC = 2
"""Unacknowledged messages of one topic. Two: while the first is under way the second can follow."""

QUICK_S = 0.25
"""A broker that acknowledges within this time gets messages before the last ones are acknowledged."""

SILENCE_S = 10.0
"""After so long without a sign of the broker the connection is given up, …"""

SLOWEST_BYTES_PER_S = 1000
"""… or later, if what is under way needs longer on so slow a link."""


class Window:
    """The messages of one connection that are not acknowledged yet; thread-safe."""

    def __init__(self, *, first_answer_ns: int, clock_ns: Callable[[], int]) -> None:
        """Nothing is under way.

        Args:
            first_answer_ns: How long the broker took to acknowledge something before.
            clock_ns: Monotonic time.
        """
        self._lock = threading.Lock()
        self._clock_ns = clock_ns
        self._under_way: deque[tuple[str, int, int]] = deque()
        """Topic, bytes, and when it was handed over; the oldest first."""
        self._last_answer_ns = first_answer_ns
        self._peak_ns = 0

    def take(self, topic: str, size: int) -> bool:
        """Count a message of `size` bytes as under way; False if there is no room for it now."""
        with self._lock:
            if not self._room(topic):
                return False
            self._under_way.append((topic, size, self._clock_ns()))
            return True

    def add(self, topic: str, size: int) -> None:
        """Count a message as under way, room or no room."""
        with self._lock:
            self._under_way.append((topic, size, self._clock_ns()))

    def acknowledge(self) -> None:
        """The oldest has arrived."""
        with self._lock:
            if self._under_way:
                _, _, since_ns = self._under_way.popleft()
                self._last_answer_ns = self._clock_ns() - since_ns
                self._peak_ns = max(self._peak_ns, self._last_answer_ns)

    def peak_ms(self) -> float:
        """Longest time, since this was last asked, for which a message has waited or waits still."""
        with self._lock:
            peak_ns, self._peak_ns = max(self._peak_ns, self._oldest_ns()), 0
            return round(peak_ns / NS_PER_MS, 1)

    def overdue(self, heard_ns: int) -> bool:
        """Whether the broker, last heard of at `heard_ns`, should have answered long ago."""
        with self._lock:
            if not self._under_way:
                return False
            size = sum(size for _, size, _ in self._under_way)
            limit_s = SILENCE_S + size / SLOWEST_BYTES_PER_S
            silent_ns = min(self._oldest_ns(), self._clock_ns() - heard_ns)
            return silent_ns > limit_s * NS_PER_S

    def _room(self, topic: str) -> bool:
        if not self._under_way:
            return True
        if max(self._last_answer_ns, self._oldest_ns()) > QUICK_S * NS_PER_S:
            return False
        return sum(of == topic for of, _, _ in self._under_way) < PER_TOPIC

    def _oldest_ns(self) -> int:
        return self._clock_ns() - self._under_way[0][2] if self._under_way else 0
