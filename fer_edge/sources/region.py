"""A part of a camera's picture, as if it were the whole."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.types import BgrImage, GrayImage, Picture

Region = tuple[float, float, float, float]
"""Left, top, width and height, in shares of the picture."""

GRID_PX = 8
"""Edges lie on multiples of this, so that they fall on pixels of a JPEG decoded to an eighth too."""


class RegionPicture:
    """The part of a picture; each plane is cut once."""

    def __init__(self, picture: Picture, region: Region) -> None:
        self._picture = picture
        x, y, width, height = region
        self._left, right = _edges(x, x + width, picture.width)
        self._top, bottom = _edges(y, y + height, picture.height)
        self.width = right - self._left
        """Of the part, in pixels."""
        self.height = bottom - self._top
        """Of the part, in pixels."""
        self._gray: dict[int, GrayImage] = {}

    def gray(self, min_width: int = 0) -> GrayImage:
        """Luma of the part ``[h, w]``, at least ``min_width`` wide, as of `Picture`.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        plane = self._picture.gray(self._before(min_width))
        width = plane.shape[1]
        if width not in self._gray:
            self._gray[width] = self._cut(plane)
        return self._gray[width]

    def bgr(self, min_width: int = 0) -> BgrImage:
        """Colour of the part ``[h, w, 3]``, as of `Picture`.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        return self._cut(self._picture.bgr(self._before(min_width)))

    def _before(self, min_width: int) -> int:
        """The width to ask for, of the whole picture."""
        return min(-(-min_width * self._picture.width // self.width), self._picture.width)

    def _cut(self, plane: NDArray[Any]) -> NDArray[Any]:
        scale = plane.shape[1] / self._picture.width
        left, top = round(self._left * scale), round(self._top * scale)
        width, height = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        # In one piece: what comes next does not take every layout.
        made = np.ascontiguousarray(plane[top : top + height, left : left + width])
        made.flags.writeable = False
        return made


def _edges(begin: float, end: float, length: int) -> tuple[int, int]:
    """The nearest edges on the grid, at least one of its steps apart; the picture's own may be the end."""
    first = min(round(begin * length / GRID_PX), (length - 1) // GRID_PX) * GRID_PX
    last = min(max(round(end * length / GRID_PX) * GRID_PX, first + GRID_PX), length)
    return first, length if length - last < GRID_PX and end * length > length - 1 else last
