"""SIGTERM, Ctrl-C and a closed terminal, noted for the main thread."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

FORCE_AFTER_S = 2.0
"""After this time a second signal ends the process; `timeout` and shells may send two in a row."""


class Interrupted(BaseException):
    """A signal came while the program was starting."""


class Signals:
    """Notes SIGTERM, Ctrl-C and a closed terminal in `taken`.

    The handler does nothing but set a flag: it runs between any two instructions of the main
    thread. A second signal after `FORCE_AFTER_S` ends the process at once: the main thread then hangs
    as when it writes a recording's results into a pipe whose reader has paused. Blocking the signals would
    not do: the threads that numpy and OpenCV start when they are imported have a mask of their own,
    and the signal would reach one of them and end the process.
    """

    def __init__(self) -> None:
        self.taken = False
        """Whether one came."""
        self._first_s: float | None = None
        self._interrupts = False

    def __enter__(self) -> Self:
        # A program started with nohup is to outlive the terminal.
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        numbers = SIGNALS if not ignored else [n for n in SIGNALS if n != signal.SIGHUP]
        self._before = {number: signal.signal(number, self._handle) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Inside, a signal raises `Interrupted`: for a start, which may wait for a file that never comes.

        Raises:
            Interrupted: one came, inside or before.
        """
        self._interrupts = True
        try:
            if self.taken:
                raise Interrupted
            yield
        finally:
            self._interrupts = False

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.taken = True
        if self._interrupts:
            self._interrupts = False
            raise Interrupted
        now_s = time.monotonic()
        self._first_s = self._first_s or now_s
        if now_s - self._first_s > FORCE_AFTER_S:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
