"""Which video4linux devices are no cameras: a Raspberry Pi has a dozen of them."""

from typing import Final

BOARD_DRIVERS: Final = frozenset(
    {
        "bcm2835-codec",
        "bcm2835-isp",
        "pispbe",
        "rkvdec",
        "rp1-cfe",
        "rpi-hevc-dec",
        "rpivid",
        "unicam",
        "vc4",
    }
)
"""Codecs, image processors and raw sensors; picamera2 reaches the sensors."""


def is_board_driver(driver: str) -> bool:
    """Whether a driver, as VIDIOC_QUERYCAP names it, is one of the board's own picture processing."""
    return driver in BOARD_DRIVERS


def is_board_device(name: str) -> bool:
    """Whether a device, as sysfs names it, is one of the board's own picture processing.

    The kernel calls the devices of one driver after it: `bcm2835-codec-decode`, `unicam-image`.
    """
    return any(name == driver or name.startswith(f"{driver}-") for driver in BOARD_DRIVERS)
