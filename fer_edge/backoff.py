"""How long to wait before something that failed is tried again.

Full jitter: every wait is drawn evenly between nothing and a ceiling that doubles. Devices that
lost the same broker so come back spread out, not in step, and need the fewest calls altogether
(M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
"""

import random
from collections.abc import Callable


class Backoff:
    """Waits of one thing that is tried again and again."""

    def __init__(
        self,
        initial_s: float,
        max_s: float,
        *,
        random: Callable[[], float] = random.random,
    ) -> None:
        """A wait below `initial_s` seconds first, and never one above `max_s`.

        Args:
            initial_s: Ceiling of the first wait.
            max_s: Ceiling of every wait.
            random: Evenly between 0 and 1.
        """
        self._initial_s = min(initial_s, max_s)
        self._max_s = max_s
        self._random = random
        self._ceiling_s = self._initial_s

    def next(self) -> float:
        """Seconds to wait now."""
        wait_s = self._random() * self._ceiling_s
        # Doubled instead of 2**n: an outage of weeks must not end in an overflow.
        self._ceiling_s = min(self._max_s, self._ceiling_s * 2)
        return wait_s

    def reset(self) -> None:
        """It worked: the next wait is a first one."""
        self._ceiling_s = self._initial_s
