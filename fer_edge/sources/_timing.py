"""When a frame was taken: numbers, time stamps, and the pace of recordings."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Numbering:
    """Numbers the frames of one source; it outlives a stream, so a reopened camera counts on."""

    _count: Iterator[int] = field(default_factory=itertools.count)

    def frame(self, picture: Picture, moment: Moment) -> Frame:
        """The next frame of the source."""
        stamp = Stamp(
            seq=next(self._count),
            captured_ns=moment.captured_ns,
            captured_at=moment.captured_at,
            width=picture.width,
            height=picture.height,
        )
        return Frame(stamp, picture)


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
