"""Pictures as characters: two pixels in each, one above the other; pure."""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from fer_edge.types import BgrImage

Depth = Literal["truecolor", "256", "none"]
"""Colours of a terminal: 24 bits, 256, or none that can show a picture."""

RESET: Final = "\x1b[0m"
UPPER: Final = "▀"
SHADES: Final = " ░▒▓█"


def fit(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """Width and even height, in pixels, of a picture of this size in so many characters."""
    width, height = size
    scale = min(columns / width, 2 * rows / height)
    return max(1, round(width * scale)), max(2, round(height * scale / 2) * 2)


def blocks(picture: BgrImage, depth: Depth) -> Iterator[str]:
    """One line of characters for every two rows of the picture, whose height is even."""
    upper, lower = picture[0::2, :, ::-1], picture[1::2, :, ::-1]
    if depth == "none":
        luma = np.concatenate([upper, lower], axis=2).mean(axis=2)
        for row in (luma * len(SHADES) / 256).astype(int):
            yield "".join(SHADES[shade] for shade in row)
        return
    for above, below in zip(_codes(upper, depth), _codes(lower, depth), strict=True):
        yield _line(above, below)


def _line(above: list[str], below: list[str]) -> str:
    """Colours are written only where they change: a line over a slow connection stays short."""
    parts, last = [], ("", "")
    for pair in zip(above, below, strict=True):
        if pair[0] != last[0]:
            parts.append(f"\x1b[38;{pair[0]}m")
        if pair[1] != last[1]:
            parts.append(f"\x1b[48;{pair[1]}m")
        parts.append(UPPER)
        last = pair
    return "".join([*parts, RESET])


def _codes(rgb: NDArray[np.uint8], depth: Depth) -> Iterator[list[str]]:
    if depth == "truecolor":
        for row in rgb.tolist():
            yield [f"2;{red};{green};{blue}" for red, green, blue in row]
        return
    for row in nearest_256(rgb).tolist():
        yield [f"5;{code}" for code in row]


def nearest_256(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Of each pixel ``[…, 3]`` a number of xterm's 256 colours: its 24 greys, or its cube of 6³."""
    colour = rgb.astype(np.int64)
    cube = np.where(colour < 48, 0, np.where(colour < 115, 1, (colour - 35) // 40))
    cube_code = 16 + 36 * cube[..., 0] + 6 * cube[..., 1] + cube[..., 2]
    gray_code = 232 + np.clip((colour.mean(axis=-1) - 3) // 10, 0, 23).astype(np.int64)
    is_gray = colour.max(axis=-1) - colour.min(axis=-1) < 16
    return np.asarray(np.where(is_gray, gray_code, cube_code), np.int64)
