"""What a video4linux device offers, and its controls: a few ioctls of linux/videodev2.h."""

import fcntl
import os
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final, Protocol

VIDIOC_ENUM_FMT: Final = 0xC0405602
VIDIOC_G_CTRL: Final = 0xC008561B
VIDIOC_S_CTRL: Final = 0xC008561C
VIDIOC_QUERYCTRL: Final = 0xC0445624
VIDIOC_QUERYMENU: Final = 0xC02C5625
VIDIOC_ENUM_FRAMESIZES: Final = 0xC02C564A
VIDIOC_ENUM_FRAMEINTERVALS: Final = 0xC034564B

FMTDESC: Final = struct.Struct("=III32sII12x")
"""index, type, flags, description, pixelformat, mbus_code, reserved."""
CONTROL: Final = struct.Struct("=Ii")
"""id, value."""
QUERYCTRL: Final = struct.Struct("=II32siiiiI8x")
"""id, type, name, minimum, maximum, step, default_value, flags, reserved."""
QUERYMENU: Final = struct.Struct("=II32s4x")
"""id, index, name (or, of a menu of numbers, a 64-bit value), reserved."""
FRMSIZEENUM: Final = struct.Struct("=III6I8x")
"""index, pixel_format, type, then width, height; or min, max and step of each; reserved."""
FRMIVALENUM: Final = struct.Struct("=IIIII6I8x")
"""index, pixel_format, width, height, type, then fractions of a second; reserved."""

NEXT_CTRL: Final = 0x80000000
DISABLED: Final = 0x0001
READ_ONLY: Final = 0x0004
INACTIVE: Final = 0x0010
WRITE_ONLY: Final = 0x0040
DISCRETE: Final = 1
VIDEO_CAPTURE: Final = 1


class Kind(IntEnum):
    """Types of controls (enum v4l2_ctrl_type) whose value is one number."""

    INTEGER = 1
    BOOLEAN = 2
    MENU = 3
    INTEGER_MENU = 9


class Ioctl(Protocol):
    """ioctl(2) of one open device; `sources.fakes.FakeVideoDevice` is another."""

    def __call__(self, request: int, data: bytes, /) -> bytes:
        """The structure as the device filled it in; OSError where it refuses."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a camera."""

    id: int
    name: str
    """As `v4l2-ctl --list-ctrls` writes it."""
    kind: Kind
    minimum: int
    maximum: int
    step: int
    default: int
    value: int | None
    """Now; None where it cannot be read."""
    inactive: bool = False
    """It can be set, but has no effect while another control has the value it has."""
    menu: Mapping[int, str] = field(default_factory=dict)
    """The words of a menu, by value."""

    @property
    def range(self) -> str:
        """The values that it takes, for people."""
        if self.menu:
            return ", ".join(f"{value} ({word})" for value, word in self.menu.items())
        if self.kind is Kind.BOOLEAN:
            return "0, 1"
        step = f" in steps of {self.step}" if self.step > 1 else ""
        return f"{self.minimum} to {self.maximum}{step}"

    def takes(self, value: int) -> bool:
        """Whether the value is in its range."""
        if self.menu:
            return value in self.menu
        return self.minimum <= value <= self.maximum


@dataclass(frozen=True, slots=True)
class Mode:
    """One size in one format."""

    format: str
    """Four characters, such as `MJPG`."""
    size: str
    """Width x height in pixels."""
    rates: tuple[float, ...] = ()
    """Frames a second; empty where the device names no single ones."""


@contextmanager
def open_ioctl(device: str | Path) -> Iterator[Ioctl]:
    """The device, also while somebody else takes pictures from it.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:

        def ioctl(request: int, data: bytes) -> bytes:
            return fcntl.ioctl(descriptor, request, data)

        yield ioctl
    finally:
        os.close(descriptor)


def list_controls(ioctl: Ioctl) -> list[Control]:
    """The controls whose value is one number and can be set, in the driver's order."""
    controls: list[Control] = []
    number = 0
    while True:
        try:
            answer = ioctl(VIDIOC_QUERYCTRL, _zeros(QUERYCTRL, number | NEXT_CTRL))
        except OSError:
            return controls
        number, kind, name, least, most, step, default, flags = QUERYCTRL.unpack(answer)
        if flags & (DISABLED | READ_ONLY) or kind not in set(Kind):
            continue
        kind = Kind(kind)
        controls.append(
            Control(
                number,
                snake_case(_text(name)),
                kind,
                least,
                most,
                step,
                default,
                None if flags & WRITE_ONLY else _value(ioctl, number),
                bool(flags & INACTIVE),
                _menu(ioctl, number, kind, least, most),
            )
        )


def set_control(ioctl: Ioctl, number: int, value: int) -> None:
    """Set a control.

    Raises:
        OSError: the camera refuses.
    """
    ioctl(VIDIOC_S_CTRL, CONTROL.pack(number, value))


def list_modes(ioctl: Ioctl) -> list[Mode]:
    """Formats, sizes and frame rates of a capture device."""
    return [
        Mode(_fourcc(code), size, tuple(_rates(ioctl, code, *pixels)) if pixels else ())
        for code in _formats(ioctl)
        for size, pixels in _sizes(ioctl, code)
    ]


def snake_case(name: str) -> str:
    """A control's name as v4l2-ctl writes it: `White Balance, Automatic` is `white_balance_automatic`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _menu(ioctl: Ioctl, number: int, kind: Kind, least: int, most: int) -> Mapping[int, str]:
    words: dict[int, str] = {}
    if kind not in {Kind.MENU, Kind.INTEGER_MENU}:
        return words
    for index in range(least, most + 1):
        try:
            answer = ioctl(VIDIOC_QUERYMENU, QUERYMENU.pack(number, index, b""))
        except OSError:  # menus have gaps
            continue
        name = QUERYMENU.unpack(answer)[2]
        whole = kind is Kind.INTEGER_MENU
        words[index] = str(int.from_bytes(name[:8], "little")) if whole else _text(name)
    return words


def _value(ioctl: Ioctl, number: int) -> int | None:
    try:
        value: int = CONTROL.unpack(ioctl(VIDIOC_G_CTRL, CONTROL.pack(number, 0)))[1]
    except OSError:
        return None
    return value


def _formats(ioctl: Ioctl) -> Iterator[int]:
    for index in range(64):
        try:
            answer = ioctl(VIDIOC_ENUM_FMT, _zeros(FMTDESC, index, VIDEO_CAPTURE))
        except OSError:
            return
        yield FMTDESC.unpack(answer)[4]


def _sizes(ioctl: Ioctl, code: int) -> Iterator[tuple[str, tuple[int, int] | None]]:
    for index in range(256):
        try:
            answer = ioctl(VIDIOC_ENUM_FRAMESIZES, _zeros(FRMSIZEENUM, index, code))
        except OSError:
            return
        _, _, kind, *sides = FRMSIZEENUM.unpack(answer)
        if kind != DISCRETE:
            least_wide, most_wide, _, least_high, most_high, _ = sides
            yield f"{least_wide}x{least_high} to {most_wide}x{most_high}", None
            return
        yield f"{sides[0]}x{sides[1]}", (sides[0], sides[1])


def _rates(ioctl: Ioctl, code: int, width: int, height: int) -> Iterator[float]:
    for index in range(64):
        try:
            answer = ioctl(
                VIDIOC_ENUM_FRAMEINTERVALS, _zeros(FRMIVALENUM, index, code, width, height)
            )
        except OSError:
            return
        _, _, _, _, kind, above, below, *_ = FRMIVALENUM.unpack(answer)
        if kind != DISCRETE or not above:
            return
        yield below / above


def _zeros(layout: struct.Struct, *first: int) -> bytes:
    """A structure whose first fields are given, and the rest zero."""
    head = struct.pack(f"={len(first)}I", *first)
    return head + bytes(layout.size - len(head))


def _text(field: bytes) -> str:
    text = field.split(b"\0")[0].decode("ascii", "replace")
    return "".join(one for one in text if one.isprintable())


def _fourcc(code: int) -> str:
    return code.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")
