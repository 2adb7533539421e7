"""The kernel's frame buffer, for a screen without a desktop.

Every picture is one write of the whole screen, so nothing flickers. It is written, not mapped: a
screen that is pulled out is then an error, not a signal that ends the process.

A regular file may stand in for the device: its geometry is read from files in the folder
`<name>.sysfs` beside it, named as in /sys/class/graphics/fb0.
"""

import contextlib
import fcntl
import logging
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from fer_edge.overlay.canvas import Image
from fer_edge.overlay.screen import ScreenError

log = logging.getLogger(__name__)

# linux/fb.h and linux/kd.h
FBIOGET_VSCREENINFO = 0x4600
FBIOGET_FSCREENINFO = 0x4602
FBIOBLANK = 0x4611
FB_BLANK_UNBLANK = 0
KDSETMODE = 0x4B3A
KD_TEXT, KD_GRAPHICS = 0, 1

VSCREENINFO = struct.Struct("=8I12I20I")
"""Geometry, four colours of (offset, length, most significant bit), and what is not read."""
FSCREENINFO = struct.Struct("@16sL4I3HIL2I3H0L")
LINE_LENGTH = 9
"""Index of `line_length` in it."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How pixels lie in the frame buffer."""

    width: int
    height: int
    stride: int
    """Bytes from one row to the next."""
    bits: int
    """Of a pixel: 16 or 32."""
    red_first: bool = False
    """Whether red lies before blue in memory; for 16 bits, whether it is in the low bits."""
    offset: int = 0
    """Bytes before the first visible pixel."""

    @classmethod
    def of_device(cls, fd: int) -> Self:
        """As the kernel says.

        Raises:
            OSError: it is no frame buffer.
        """
        variable = bytearray(VSCREENINFO.size)
        fixed = bytearray(FSCREENINFO.size)
        fcntl.ioctl(fd, FBIOGET_VSCREENINFO, variable)
        fcntl.ioctl(fd, FBIOGET_FSCREENINFO, fixed)
        width, height, _, _, x, y, bits, _, *rest = VSCREENINFO.unpack(variable)
        red, blue = rest[0], rest[6]
        stride = FSCREENINFO.unpack(fixed)[LINE_LENGTH]
        return cls(width, height, stride, bits, red < blue, y * stride + x * bits // 8)

    @classmethod
    def of_files(cls, folder: Path) -> Self:
        """As sysfs says: `virtual_size`, `stride`, `bits_per_pixel`.

        Raises:
            OSError, ValueError: they are not there, or hold something else.
        """
        width, height = map(int, (folder / "virtual_size").read_text().split(","))
        stride, bits = (int((folder / name).read_text()) for name in ("stride", "bits_per_pixel"))
        return cls(width, height, stride, bits)


def pack(image: Image, geometry: Geometry, rows: Image) -> None:
    """Put a picture, [height, width, 3], into `rows`, [height, stride], as the screen has it."""
    import cv2

    used = geometry.width * geometry.bits // 8
    if geometry.bits == 32:
        code = cv2.COLOR_BGR2RGBA if geometry.red_first else cv2.COLOR_BGR2BGRA
    else:
        code = cv2.COLOR_RGB2BGR565 if geometry.red_first else cv2.COLOR_BGR2BGR565
    # OpenCV gives 16 bits as two channels of 8.
    rows[:, :used] = cv2.cvtColor(image, code).reshape(geometry.height, used)


class FrameBuffer:
    """An open frame buffer."""

    transparent = False

    def __init__(self, path: Path) -> None:
        """Open the device, or the file that stands in for it.

        Raises:
            ScreenError: it is not there, may not be written, or has other pixels than 16 or 32 bits.
        """
        self._path = path
        self._console: Console | None = None
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise ScreenError(
                f"{path}: {error.strerror}; check overlay.device, and that the user is in the group video"
            ) from None
        try:
            self._device = stat.S_ISCHR(os.fstat(self._fd).st_mode)
            self._geometry = self._read_geometry()
        except BaseException:
            os.close(self._fd)
            raise
        self._rows = np.zeros((self._geometry.height, self._geometry.stride), np.uint8)
        if self._device:
            self._unblank()
            self._console = Console()

    @property
    def name(self) -> str:
        """For people."""
        one = self._geometry
        return f"framebuffer {self._path}, {one.width}x{one.height}, {one.bits} bits"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._geometry.width, self._geometry.height

    def show(self, image: Image) -> None:
        """Write the whole screen.

        Raises:
            ScreenError: the device has gone, or has another geometry now.
        """
        if self._read_geometry() != self._geometry:
            raise ScreenError(f"{self._path}: its resolution has changed; opened again")
        pack(image, self._geometry, self._rows)
        data = memoryview(self._rows.data).cast("B")
        at = self._geometry.offset
        try:
            while data:
                done = os.pwrite(self._fd, data, at)
                data, at = data[done:], at + done
        except OSError as error:
            raise ScreenError(f"{self._path}: {error.strerror}; is it still plugged in?") from None

    def close(self) -> None:
        """Give the console back its screen."""
        if self._console is not None:
            self._console.close()
        os.close(self._fd)

    def _read_geometry(self) -> Geometry:
        try:
            if self._device:
                geometry = Geometry.of_device(self._fd)
            else:
                geometry = Geometry.of_files(self._path.with_name(self._path.name + ".sysfs"))
        except (OSError, ValueError) as error:
            raise ScreenError(
                f"{self._path}: not a frame buffer ({error}); check overlay.device"
            ) from None
        if geometry.bits not in {16, 32}:
            raise ScreenError(f"{self._path}: {geometry.bits} bits a pixel; set it to 16 or 32")
        return geometry

    def _unblank(self) -> None:
        with contextlib.suppress(OSError):  # not every driver can; then it never slept
            fcntl.ioctl(self._fd, FBIOBLANK, FB_BLANK_UNBLANK)


class Console:
    """Keeps the text console, its cursor and its blanking off the screen where that is allowed.

    Only root and who owns the console may; for others the cursor goes with the kernel's option
    `vt.global_cursor_default=0`.
    """

    def __init__(self, path: str = "/dev/tty0") -> None:
        self._fd: int | None = None
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
            fcntl.ioctl(self._fd, KDSETMODE, KD_GRAPHICS)
        except OSError as error:
            log.debug("the console keeps its cursor: %s", error)

    def close(self) -> None:
        """Show text again."""
        if self._fd is None:
            return
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._fd, KDSETMODE, KD_TEXT)
        os.close(self._fd)
