"""A small drawn face for each emotion, so that none is told by its colour alone.

Strokes are in units of the symbol's side, y down, so that a screen and a report draw the same.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.types import Emotion

Point = tuple[float, float]
Stroke = tuple[Point, ...]

WIDTH: Final = 0.085
"""Of every stroke, as a share of the side."""

SAMPLES: Final = 4
"""Bitmaps are drawn this many times larger and averaged down: soft edges at any size."""


@dataclass(frozen=True)
class Symbol:
    """Open strokes, and filled dots as (x, y, radius)."""

    strokes: tuple[Stroke, ...]
    dots: tuple[tuple[float, float, float], ...] = ()


def _arc(  # noqa: PLR0917 - six numbers in the order of SVG's and OpenCV's ellipses
    x: float, y: float, rx: float, ry: float, begin: float, end: float
) -> Stroke:
    """Part of an ellipse, in degrees, 0 to the right, 90 down."""
    angles = np.radians(np.linspace(begin, end, 25))
    return tuple((x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles)


_OUTLINE = _arc(0.5, 0.5, 0.455, 0.455, 0, 360)
_EYES = ((0.33, 0.40, 0.065), (0.67, 0.40, 0.065))
_BROWS_UP = (_arc(0.32, 0.34, 0.10, 0.10, 200, 340), _arc(0.68, 0.34, 0.10, 0.10, 200, 340))
_LOW_EYES = ((0.33, 0.45, 0.065), (0.67, 0.45, 0.065))

SYMBOLS: Final[dict[Emotion | None, Symbol]] = {
    Emotion.NEUTRAL: Symbol((_OUTLINE, ((0.31, 0.68), (0.69, 0.68))), _EYES),
    Emotion.HAPPY: Symbol((_OUTLINE, _arc(0.5, 0.53, 0.25, 0.24, 10, 170)), _EYES),
    Emotion.SAD: Symbol(
        (
            _OUTLINE,
            _arc(0.5, 0.83, 0.21, 0.18, 205, 335),
            ((0.22, 0.35), (0.38, 0.27)),
            ((0.78, 0.35), (0.62, 0.27)),
        ),
        _LOW_EYES,
    ),
    Emotion.SURPRISE: Symbol(
        (_OUTLINE, *_BROWS_UP, _arc(0.5, 0.69, 0.11, 0.14, 0, 360)),
        ((0.33, 0.43, 0.06), (0.67, 0.43, 0.06)),
    ),
    Emotion.FEAR: Symbol(
        (
            _OUTLINE,
            _arc(0.33, 0.41, 0.10, 0.12, 0, 360),
            _arc(0.67, 0.41, 0.10, 0.12, 0, 360),
            ((0.27, 0.74), (0.37, 0.67), (0.46, 0.74), (0.55, 0.67), (0.64, 0.74), (0.73, 0.68)),
        ),
    ),
    Emotion.DISGUST: Symbol(
        (
            _OUTLINE,
            ((0.23, 0.34), (0.40, 0.42), (0.23, 0.48)),
            ((0.77, 0.34), (0.60, 0.42), (0.77, 0.48)),
            ((0.28, 0.65), (0.72, 0.65)),
            ((0.46, 0.65), *_arc(0.57, 0.68, 0.11, 0.15, 180, 0), (0.68, 0.65)),
        ),
    ),
    Emotion.ANGER: Symbol(
        (
            _OUTLINE,
            ((0.20, 0.29), (0.41, 0.38)),
            ((0.80, 0.29), (0.59, 0.38)),
            _arc(0.5, 0.80, 0.19, 0.15, 200, 340),
        ),
        ((0.34, 0.46, 0.06), (0.66, 0.46, 0.06)),
    ),
    Emotion.CONTEMPT: Symbol(
        (
            _OUTLINE,
            ((0.25, 0.40), (0.42, 0.40)),
            ((0.58, 0.40), (0.75, 0.40)),
            ((0.31, 0.70), (0.52, 0.70), *_arc(0.52, 0.57, 0.19, 0.13, 90, 20)),
        ),
    ),
    None: Symbol(
        (
            _OUTLINE,
            (
                *_arc(0.5, 0.38, 0.14, 0.13, 180, 360),
                *_arc(0.5, 0.38, 0.14, 0.13, 0, 70),
                (0.5, 0.55),
                (0.5, 0.60),
            ),
        ),
        ((0.5, 0.74, 0.055),),
    ),
}


def symbol_mask(emotion: Emotion | None, side_px: int) -> NDArray[np.uint8]:
    """Opacity of the symbol, [side_px, side_px]."""
    import cv2

    side = side_px * SAMPLES
    mask = np.zeros((side, side), np.uint8)
    symbol = SYMBOLS[emotion]
    # A stroke below one and a half pixels would fade away.
    width = max(round(WIDTH * side), SAMPLES * 3 // 2)
    for stroke in symbol.strokes:
        points = np.rint(np.array(stroke) * side).astype(np.int32)
        cv2.polylines(mask, [points], isClosed=False, color=255, thickness=width)
    for x, y, radius in symbol.dots:
        cv2.circle(mask, (round(x * side), round(y * side)), round(radius * side), 255, -1)
    small = cv2.resize(mask, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
