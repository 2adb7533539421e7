"""A picture of the faces that were missed, as they were shown."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from fer_edge.types import GrayImage

TILE, COLUMNS, MOST = 160, 10, 120
"""Pixels of a tile's side, tiles in a row, tiles at the most."""


def draw_grid(missed: Sequence[tuple[str, GrayImage]], path: Path) -> None:
    """Write the tiles, each with its condition; what is dark is stretched to be seen."""
    tiles = [_tile(name, cut) for name, cut in missed[:MOST]]
    tiles += [np.zeros((TILE, TILE), np.uint8)] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    if rows and not cv2.imwrite(str(path), np.vstack(rows)):
        raise SystemExit(f"benchmarks/wild: {path} cannot be written; name a .png in a folder")


def _tile(name: str, cut: GrayImage) -> GrayImage:
    small = cv2.resize(cut, (TILE, TILE), interpolation=cv2.INTER_AREA)
    if small.max() < 64:
        small = cv2.normalize(small, None, 0, 255, cv2.NORM_MINMAX)
    tile = np.asarray(small, np.uint8)
    tile[TILE - 16 :] = 0
    name = name.replace("°", " deg").replace("×", "x")  # OpenCV draws ASCII alone
    cv2.putText(tile, name, (2, TILE - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.33, (255,), 1)
    return tile
