"""Whether there are pictures, why not, and whether there are to be any: one object that all threads share."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

OPENING: Final = "the camera is being opened"
OFF: Final = "recognition is off"


@dataclass(frozen=True, slots=True)
class CameraCondition:
    """How it is with the camera at one moment."""

    available: bool
    """Whether it delivers pictures."""
    reason: str | None
    """Why it does not, in a few words; None while it does."""
    since_ns: int
    """Since when it has delivered pictures, or none; on the clock of `time.monotonic_ns`.

    With pictures, this is the capture of the first one. A new reason does not change it."""


class CameraState:
    """The condition of the camera, and a switch for it. Safe to use from any thread.

    The thread that reads the camera reports with `delivers` and `lost`. Anybody may call `turn_off`:
    the condition says so at once, the camera is closed when the picture that is on its way has come,
    and it stays closed until `turn_on`.
    """

    def __init__(self, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Wanted, and not open yet."""
        self._lock = threading.Lock()
        self._clock_ns = clock_ns
        self._wanted = True
        self._reported: set[str] = set()
        """Reasons of the present outage."""
        self._condition = CameraCondition(False, OPENING, clock_ns())

    @property
    def condition(self) -> CameraCondition:
        """The present condition."""
        return self._condition

    @property
    def wanted(self) -> bool:
        """Whether the camera is to be open."""
        return self._wanted

    def turn_off(self) -> None:
        """No pictures any more, until `turn_on`."""
        with self._lock:
            self._wanted = False
            self._set(available=False, reason=OFF)

    def turn_on(self) -> None:
        """The camera may be opened again; nothing happens if it may already."""
        with self._lock:
            if not self._wanted:
                self._wanted = True
                self._reported.clear()
                self._set(available=False, reason=OPENING)

    def delivers(self, captured_ns: int) -> bool:
        """Report a picture; whether an outage ends with it that was reported with `lost`."""
        if self._condition.available:
            return False
        with self._lock:
            if not self._wanted:
                return False
            ended = bool(self._reported)
            self._reported.clear()
            self._set(available=True, reason=None, at_ns=captured_ns)
            return ended

    def lost(self, reason: str) -> bool:
        """Report that there are no pictures; whether this outage had another reason until now."""
        with self._lock:
            if not self._wanted:
                return False
            self._set(available=False, reason=reason)
            new = reason not in self._reported
            self._reported.add(reason)
            return new

    def _set(self, *, available: bool, reason: str | None, at_ns: int | None = None) -> None:
        before = self._condition
        since_ns = self._clock_ns() if at_ns is None else at_ns
        if available == before.available:
            since_ns = before.since_ns
        self._condition = CameraCondition(available, reason, since_ns)
