"""When a frame was taken: numbers, time stamps, and the pace of recordings."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fer_edge.types import Frame, Picture, Stamp


@dataclass(frozen=True, slots=True)
class Moment:
    """The same instant on both clocks."""

    captured_ns: int
    captured_at: datetime


def now() -> Moment:
    """The present instant."""
    return Moment(time.monotonic_ns(), datetime.now(UTC))


def at_monotonic(captured_ns: int) -> Moment:
    """An instant of the recent past, given in `time.monotonic_ns`."""
    present = now()
    age = timedelta(microseconds=(present.captured_ns - captured_ns) / 1000)
    return Moment(captured_ns, present.captured_at - age)


class Numbering:
    """Numbers the frames of one source; it outlives a stream, so a reopened camera counts on."""

    def __init__(self) -> None:
        self._next = 0

    def reopened(self) -> None:
        """Leave out a number: that of the message that says that the source was lost."""
        if self._next:
            self._next += 1

    def frame(self, picture: Picture, moment: Moment, *, file: str = "") -> Frame:
        """The next frame of the source; `file` is the name of the file that the picture is."""
        stamp = Stamp(
            seq=self._next,
            captured_ns=moment.captured_ns,
            captured_at=moment.captured_at,
            width=picture.width,
            height=picture.height,
        )
        self._next += 1
        return Frame(stamp, picture, file)


class Pacer:
    """Lets a recording run at its own pace, or at once with `fast`.

    A frame that is late is not waited for and none is left out, so a reader that falls behind for a
    while catches up.
    """

    def __init__(self, *, fast: bool) -> None:
        self._fast = fast
        self._start = now()

    def wait(self, position_s: float) -> Moment:
        """Wait until `position_s` seconds after the start; the moment the frame is taken.

        With `fast` it returns at once, and `captured_at` is the start plus the position.
        """
        if self._fast:
            captured_at = self._start.captured_at + timedelta(seconds=position_s)
            return Moment(time.monotonic_ns(), captured_at)
        due_ns = self._start.captured_ns + round(position_s * 1e9)
        time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
        return now()
