"""A video4linux device for tests and for machines without one: it answers ioctls as a driver does."""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from fer_edge.video4linux import (
    CONTROL,
    DISCRETE,
    FMTDESC,
    FRMIVALENUM,
    FRMSIZEENUM,
    NEXT_CTRL,
    QUERYCTRL,
    QUERYMENU,
    VIDIOC_ENUM_FMT,
    VIDIOC_ENUM_FRAMEINTERVALS,
    VIDIOC_ENUM_FRAMESIZES,
    VIDIOC_G_CTRL,
    VIDIOC_QUERYCTRL,
    VIDIOC_QUERYMENU,
    VIDIOC_S_CTRL,
    Ioctl,
    Kind,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FakeControl:
    """A control as a driver describes it."""

    id: int
    name: str
    kind: int
    minimum: int
    maximum: int
    step: int
    default: int
    flags: int = 0
    menu: Mapping[int, str] = field(default_factory=dict)


EXPOSURE_MENU: Final = {1: "Manual Mode", 3: "Aperture Priority Mode"}
FREQUENCY_MENU: Final = {0: "Disabled", 1: "50 Hz", 2: "60 Hz"}

WEBCAM: Final = (
    FakeControl(0x00980001, "User Controls", 6, 0, 0, 0, 0, 0x0044),
    FakeControl(0x00980900, "Brightness", Kind.INTEGER, 0, 255, 1, 128),
    FakeControl(0x0098090C, "White Balance, Automatic", Kind.BOOLEAN, 0, 1, 1, 1),
    FakeControl(0x00980913, "Gain", Kind.INTEGER, 0, 255, 1, 0),
    FakeControl(0x00980918, "Power Line Frequency", Kind.MENU, 0, 2, 1, 2, menu=FREQUENCY_MENU),
    FakeControl(0x0098091A, "White Balance Temperature", Kind.INTEGER, 2000, 6500, 10, 4000, 0x10),
    FakeControl(0x009A0901, "Auto Exposure", Kind.MENU, 0, 3, 1, 3, menu=EXPOSURE_MENU),
    FakeControl(0x009A0902, "Exposure Time, Absolute", Kind.INTEGER, 3, 2047, 1, 250, 0x10),
    FakeControl(0x009A0903, "Exposure, Dynamic Framerate", Kind.BOOLEAN, 0, 1, 1, 0),
    FakeControl(0x009A090A, "Focus, Absolute", Kind.INTEGER, 0, 250, 5, 0, 0x10),
    FakeControl(0x009A090C, "Focus, Automatic Continuous", Kind.BOOLEAN, 0, 1, 1, 1),
)
"""Those of a USB camera with autofocus, as uvcvideo names them."""

WEBCAM_MODES: Final = {
    "YUYV": {(640, 480): (30, 15), (1920, 1080): (5,)},
    "MJPG": {(1280, 720): (60, 30), (1920, 1080): (30,)},
}
"""Formats with their sizes, and for each the frames a second."""


class FakeVideoDevice:
    """Implements `video4linux.Ioctl`; the controls keep what is set."""

    def __init__(
        self,
        controls: Sequence[FakeControl] = WEBCAM,
        modes: Mapping[str, Mapping[tuple[int, int], Sequence[int]]] = WEBCAM_MODES,
        *,
        refuses: Sequence[int] = (),
    ) -> None:
        self._controls = {control.id: control for control in controls}
        self._modes = modes
        self._refuses = refuses
        """Controls that cannot be set just now."""
        self.values = {control.id: control.default for control in controls}
        self.set: list[tuple[int, int]] = []
        """Every control that was set, in order, and its value."""

    @contextmanager
    def open(self, _device: object) -> Iterator[Ioctl]:
        """As `video4linux.open_ioctl`."""
        yield self

    def __call__(self, request: int, data: bytes, /) -> bytes:
        """The answer of the driver."""
        answers = {
            VIDIOC_QUERYCTRL: self._query,
            VIDIOC_QUERYMENU: self._menu,
            VIDIOC_G_CTRL: self._get,
            VIDIOC_S_CTRL: self._set,
            VIDIOC_ENUM_FMT: self._format,
            VIDIOC_ENUM_FRAMESIZES: self._size,
            VIDIOC_ENUM_FRAMEINTERVALS: self._interval,
        }
        if request not in answers:
            raise _refusal(errno.ENOTTY)
        return answers[request](data)

    def _query(self, data: bytes) -> bytes:
        number = QUERYCTRL.unpack(data)[0]
        if number & NEXT_CTRL:
            later = [one for one in sorted(self._controls) if one > number & ~NEXT_CTRL]
            number = later[0] if later else 0
        one = self._control(number)
        sizes = (one.minimum, one.maximum, one.step, one.default)
        return QUERYCTRL.pack(one.id, one.kind, one.name.encode(), *sizes, one.flags)

    def _menu(self, data: bytes) -> bytes:
        number, index, _ = QUERYMENU.unpack(data)
        menu = self._control(number).menu
        if index not in menu:
            raise _refusal(errno.EINVAL)
        return QUERYMENU.pack(number, index, menu[index].encode())

    def _get(self, data: bytes) -> bytes:
        number = self._control(CONTROL.unpack(data)[0]).id
        return CONTROL.pack(number, self.values[number])

    def _set(self, data: bytes) -> bytes:
        number, value = CONTROL.unpack(data)
        one = self._control(number)
        if number in self._refuses:
            raise _refusal(errno.EBUSY)
        if not one.minimum <= value <= one.maximum or (one.menu and value not in one.menu):
            raise _refusal(errno.ERANGE)
        self.values[number] = value
        self.set.append((number, value))
        return data

    def _format(self, data: bytes) -> bytes:
        index, kind, *_ = FMTDESC.unpack(data)
        code = _nth(list(self._modes), index)
        return FMTDESC.pack(index, kind, 0, b"", int.from_bytes(code.encode(), "little"), 0)

    def _size(self, data: bytes) -> bytes:
        index, code, *_ = FRMSIZEENUM.unpack(data)
        width, height = _nth(list(self._sizes(code)), index)
        return FRMSIZEENUM.pack(index, code, DISCRETE, width, height, 0, 0, 0, 0)

    def _interval(self, data: bytes) -> bytes:
        index, code, width, height, *_ = FRMIVALENUM.unpack(data)
        rate = _nth(self._sizes(code).get((width, height), ()), index)
        return FRMIVALENUM.pack(index, code, width, height, DISCRETE, 1, rate, 0, 0, 0, 0)

    def _sizes(self, code: int) -> Mapping[tuple[int, int], Sequence[int]]:
        return self._modes.get(code.to_bytes(4, "little").decode(), {})

    def _control(self, number: int) -> FakeControl:
        if number not in self._controls:
            raise _refusal(errno.EINVAL)
        return self._controls[number]


def _nth(items: Sequence[T], index: int) -> T:
    if index >= len(items):
        raise _refusal(errno.EINVAL)
    return items[index]


def _refusal(number: int) -> OSError:
    return OSError(number, os.strerror(number))
