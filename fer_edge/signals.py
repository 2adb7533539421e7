"""SIGTERM, Ctrl-C and a closed terminal, noted for the main thread to look at."""

import signal
import time
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

INSIST_S = 2.0
"""From then on a second signal ends the process; `timeout` and shells may send two in a row."""


class Signals:
    """Notes SIGTERM, Ctrl-C and a closed terminal, for whoever looks.

    The handler does nothing but set a flag: it runs between any two instructions of the main
    thread. Whoever insists after `INSIST_S` is obeyed at once: the main thread then hangs, such as
    a recording's, processed fast, into a pipe whose reader has paused. Blocking the signals would
    not do: the threads that numpy and OpenCV start when they are imported have a mask of their own,
    and one of them would take the signal and die of it.
    """

    def __init__(self) -> None:
        self.taken = False
        """Whether one came."""
        self._first_s: float | None = None

    def __enter__(self) -> Self:
        # Who starts a program with nohup wants it to outlive the terminal.
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        numbers = SIGNALS if not ignored else [n for n in SIGNALS if n != signal.SIGHUP]
        self._before = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.taken = True
        now_s = time.monotonic()
        self._first_s = self._first_s or now_s
        if now_s - self._first_s > INSIST_S:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
