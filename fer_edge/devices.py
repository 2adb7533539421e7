"""Which video4linux devices are no cameras: a Raspberry Pi has a dozen of them."""

import re
from typing import Final

_BOARD_PARTS: Final = re.compile(
    r"bcm2835-(codec|isp)|unicam|rpi-?hevc|rpivid|pispbe|rp1-cfe|vc4|rkvdec", re.IGNORECASE
)
"""Codecs, image processors and raw sensors; picamera2 reaches the sensors."""


def is_part_of_the_board(name: str) -> bool:
    """Whether a device with this driver or name belongs to the board's own image processing."""
    return _BOARD_PARTS.search(name) is not None
