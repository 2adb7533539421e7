"""Keeps a line that comes again and again from filling the journal."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

INTERVAL_S: Final = 60.0
NEWS: Final = 3
"""How often a minute the same line may come that is no warning: what has gone and come back twice is
said to be back twice."""


class RepeatFilter(logging.Filter):
    """Lets the same warning through once a minute at most, and says then how often it was left out.

    The same is what has the same text, or the same `extra={"repeats": …}` where the text holds a figure
    that changes. Lines that are no warnings may come three times a minute, debug lines all pass.
    """

    def __init__(
        self,
        interval_s: float = INTERVAL_S,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._interval_s = interval_s
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[object, tuple[float, int, int]] = {}
        """When each line was let through first in its minute, how often since, and how often it was not."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written. Called from any thread, before the handler takes its lock."""
        if record.levelno < logging.INFO:
            return True
        with self._lock:
            return self._passes(record, self._clock())

    def _passes(self, record: logging.LogRecord, now_s: float) -> bool:
        key = getattr(record, "repeats", None) or record.getMessage()
        last_s, passed, left_out = self._last.get(key, (None, 0, 0))
        if last_s is not None and now_s - last_s < self._interval_s:
            passes = passed < (1 if record.levelno >= logging.WARNING else NEWS)
            self._last[key] = (last_s, passed + passes, left_out + (not passes))
            return passes
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} more like it in the meantime)"
            record.args = None
        self._forget(now_s)
        self._last[key] = (now_s, 1, 0)
        return True

    def _forget(self, now_s: float) -> None:
        """Drop what has not come for ten intervals: a line that was left out is counted so long."""
        old_s = now_s - 10 * self._interval_s
        self._last = {key: one for key, one in self._last.items() if one[0] > old_s}
