"""Which video4linux devices are cameras: a board has a dozen nodes that are not."""

import fcntl
import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fer_edge.devices import is_board_driver

VIDIOC_QUERYCAP = 0x80685600
"""_IOR('V', 0, struct v4l2_capability) of linux/videodev2.h."""
CAPABILITY = struct.Struct("16s32s32sIII12x")
"""driver, card, bus_info, version, capabilities, device_caps, reserved."""
VIDEO_CAPTURE = 0x00000001
VIDEO_CAPTURE_MPLANE = 0x00001000
STREAMING = 0x04000000


@dataclass(frozen=True, slots=True)
class Capability:
    """What a device reports about itself."""

    driver: str
    card: str
    flags: int

    @property
    def is_camera(self) -> bool:
        """It captures, it streams, and it is no part of the board's own image processing."""
        captures = self.flags & (VIDEO_CAPTURE | VIDEO_CAPTURE_MPLANE)
        streams = bool(captures and self.flags & STREAMING)
        return streams and not is_board_driver(self.driver)


def parse_capability(data: bytes) -> Capability:
    """From `struct v4l2_capability`."""
    driver, card, _, _, _, device_flags = CAPABILITY.unpack(data)
    return Capability(_text(driver), _text(card), device_flags)


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("ascii", "replace")


def query(device: Path) -> Capability | None:
    """What the device reports about itself; None if it is another kind, or may not be opened."""
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return parse_capability(fcntl.ioctl(descriptor, VIDIOC_QUERYCAP, bytes(CAPABILITY.size)))
    except OSError:  # ENOTTY: something else than video4linux
        return None
    finally:
        os.close(descriptor)


def first_camera(
    dev: Path = Path("/dev"), ask: Callable[[Path], Capability | None] = query
) -> str | None:
    """Path of the first camera, below /dev/v4l/by-id if it is there: that name stays the same."""
    for device in _candidates(dev):
        found = ask(device)
        if found is not None and found.is_camera:
            return str(device)
    return None


def _candidates(dev: Path) -> Iterable[Path]:
    yield from sorted((dev / "v4l" / "by-id").glob("*"))
    nodes = (node for node in dev.glob("video*") if node.name[5:].isdecimal())
    yield from sorted(nodes, key=lambda node: int(node.name[5:]))
