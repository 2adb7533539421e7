"""In which part of the picture a face is: the zones of the configuration."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.config import ZoneConfig
from fer_edge.types import Box, Stamp

Polygon = NDArray[np.float32]
"""Corners, shape [N, 2], across and down in shares of the picture."""


class Zones:
    """Where faces count by name, and where none is looked at."""

    def __init__(self, zones: Sequence[ZoneConfig] = ()) -> None:
        self._counting = [(one.name, _polygon(one)) for one in zones if one.use == "count"]
        self._ignored = [_polygon(one) for one in zones if one.use == "ignore"]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._counting or self._ignored)

    def name_of(self, box: Box, stamp: Stamp) -> str:
        """The first counting zone that holds the centre of a box in a frame; empty for none."""
        if not self._counting:
            return ""
        centre = _centre(box, stamp)
        return next((name for name, polygon in self._counting if _holds(polygon, centre)), "")

    def ignores(self, box: Box, stamp: Stamp) -> bool:
        """Whether the centre of a box in a frame lies where no face is looked at."""
        if not self._ignored:
            return False
        centre = _centre(box, stamp)
        return any(_holds(polygon, centre) for polygon in self._ignored)

    def ignored_cells(self, rows: int, columns: int) -> NDArray[np.bool_]:
        """Of a grid over the picture, [rows, columns], the cells whose middle lies in an ignored zone."""
        if not self._ignored:
            return np.zeros((rows, columns), np.bool_)
        middles = [
            [((x + 0.5) / columns, (y + 0.5) / rows) for x in range(columns)] for y in range(rows)
        ]
        return np.array(
            [
                [any(_holds(one, middle) for one in self._ignored) for middle in row]
                for row in middles
            ]
        )


def _polygon(zone: ZoneConfig) -> Polygon:
    return np.array(zone.points, np.float32)


def _centre(box: Box, stamp: Stamp) -> tuple[float, float]:
    return (box.x + box.width / 2) / stamp.width, (box.y + box.height / 2) / stamp.height


def _holds(polygon: Polygon, point: tuple[float, float]) -> bool:
    """Its border belongs to it."""
    return cv2.pointPolygonTest(polygon, point, measureDist=False) >= 0
