"""Whether a picture has changed since it was last searched."""

import math
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.types import Box, Picture
from fer_edge.vision.zones import Zones

GRID_WIDTH = 64
"""Cells across the picture; a face of a tenth of its height is some four cells high."""

CHANGE = 6.0
"""Levels (of 255) by which the mean of a cell must differ; a cell averages the camera's noise away."""

USUAL_LIGHT = 90.0
"""Mean level of a picture in good light; with less, smaller differences count."""

LEAST_LIGHT = 0.15
"""Below this share of it the camera's noise would count."""

CELLS = 3
"""This many changed cells are a change; one alone may be a flickering lamp."""


class MotionGate:
    """Remembers a searched picture as a grid of means."""

    def __init__(self, search_width: int, zones: Zones | None = None) -> None:
        """`search_width` is the plane in pixels that the search decodes anyway.

        What changes in an ignored one of the `zones` is no change.
        """
        self._ignored_cells = lru_cache(1)((zones or Zones()).ignored_cells)
        self._search_width = search_width
        self._remembered: NDArray[np.float32] | None = None
        self._changed: tuple[Picture, NDArray[np.float32]] | None = None
        """The picture that was found changed last: it is searched, and remembered, next."""

    def changed(self, picture: Picture, known: Sequence[Box]) -> bool:
        """Whether it differs from the remembered one outside of the boxes of `known` faces.

        True before anything was remembered. A change so slow that it never differs from the last
        search is no change: the caller must search once in a while all the same.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        grid = self._grid(picture)
        if self._differs(grid, known, GRID_WIDTH / picture.width):
            self._changed = (picture, grid)
            return True
        self._changed = None
        return False

    def _differs(self, grid: NDArray[np.float32], known: Sequence[Box], to_cells: float) -> bool:
        before = self._remembered
        if before is None or before.shape != grid.shape:
            return True
        # In the dark everything differs by less.
        light = min(1.0, max(LEAST_LIGHT, float(grid.mean()) / USUAL_LIGHT))
        differs = np.abs(grid - before) > CHANGE * light
        differs &= ~self._ignored_cells(*grid.shape)
        for box in known:
            rows = slice(*_span(box.y, box.height, to_cells))
            columns = slice(*_span(box.x, box.width, to_cells))
            differs[rows, columns] = False
        return int(differs.sum()) >= CELLS

    def remember(self, picture: Picture) -> None:
        """Note that the picture was searched."""
        changed, self._changed = self._changed, None
        if changed is not None and changed[0] is picture:
            self._remembered = changed[1]
        else:
            self._remembered = self._grid(picture)

    def _grid(self, picture: Picture) -> NDArray[np.float32]:
        plane = picture.gray(min(self._search_width, picture.width))
        rows = max(1, round(GRID_WIDTH * picture.height / picture.width))
        # Some 16 pixels a cell are enough for its mean; all of a full plane would cost more than following.
        step = max(1, plane.shape[1] // (8 * GRID_WIDTH))
        # As float: in the dark a face differs from the wall by less than a whole level.
        sampled = plane[::step, ::step].astype(np.float32)
        grid: NDArray[np.float32] = cv2.resize(  # type: ignore[assignment]
            sampled, (GRID_WIDTH, rows), interpolation=cv2.INTER_AREA
        )
        return grid


def _span(start: float, length: float, to_cells: float) -> tuple[int, int]:
    """Cells that a box and half of it on either side cover: hair and shoulders move with a face."""
    first = math.floor((start - length / 2) * to_cells)
    return max(0, first), max(0, math.ceil((start + length * 1.5) * to_cells))
