"""SIGTERM, Ctrl-C and a closed terminal, noted for the main thread."""

import signal
import time
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

FORCE_AFTER_S = 2.0
"""After this time a second signal ends the process; `timeout` and shells may send two in a row."""


class Signals:
    """Notes SIGTERM, Ctrl-C and a closed terminal in `taken`.

    The handler does nothing but set a flag: it runs between any two instructions of the main
    thread. A second signal after `INSIST_S` ends the process at once: the main thread then hangs,
    as when it writes a recording's results into a pipe whose reader has paused. Blocking the signals would
    not do: the threads that numpy and OpenCV start when they are imported have a mask of their own,
    and the signal would reach one of them and end the process.
    """

    def __init__(self) -> None:
        self.taken = False
        """Whether one came."""
        self._first_s: float | None = None

    def __enter__(self) -> Self:
        # A program started with nohup is to outlive the terminal.
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        numbers = SIGNALS if not ignored else [n for n in SIGNALS if n != signal.SIGHUP]
        self._before = {number: signal.signal(number, self._handle) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.taken = True
        now_s = time.monotonic()
        self._first_s = self._first_s or now_s
        if now_s - self._first_s > FORCE_AFTER_S:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
