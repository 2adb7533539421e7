"""The panel beside a face: the circumplex of valence and arousal, and a bar for each emotion."""

from typing import Final

import numpy as np

from fer_edge.overlay.canvas import Image, Ink, disc, polyline
from fer_edge.overlay.layout import Rect
from fer_edge.overlay.palette import BACKGROUND, EMOTION_COLOURS, FAINT, TEXT, Colour, colour_of
from fer_edge.overlay.scene import Detail, ShownFace
from fer_edge.overlay.style import Brush
from fer_edge.types import EMOTIONS, Emotion

DIMMED: Final[Colour] = (205, 205, 205)
"""Names of the emotions that are not shown as the face's."""
EMPTY: Final[Colour] = (58, 62, 68)
"""The unfilled part of a bar."""


def draw_panel(brush: Brush, rect: Rect, face: ShownFace, detail: Detail) -> None:
    """Draw what `detail` says; `rect` is of the size that `Sizes.panel_size` gives for it."""
    if detail is Detail.NONE:
        return
    sizes = brush.style.sizes
    brush.card(rect)
    side = sizes.circle
    circle = Rect(rect.x + (rect.width - side) // 2, rect.y + sizes.gap, side, side)
    _circumplex(brush, circle, face)
    if detail is Detail.FULL:
        y = circle.bottom + sizes.gap
        if sizes.figures:
            _figures(brush, Rect(rect.x, y - sizes.gap // 2, rect.width, sizes.figures), face)
        y += sizes.figures
        _bars(brush, Rect(rect.x + sizes.gap, y, rect.width - 2 * sizes.gap, 8 * sizes.row), face)


def _circumplex(brush: Brush, square: Rect, face: ShownFace) -> None:
    """Valence to the right, arousal upwards; a dot where the face is, and where it came from."""
    sizes, image, side = brush.style.sizes, brush.image, square.width
    ink = Ink(("circumplex", side), FAINT)
    brush.style.stamps.lay(image, (square.x, square.y), ink, lambda: _ring(side, sizes.line))
    if not face.trail:
        return
    radius = side / 2 - sizes.line
    centre = (square.x + side / 2, square.y + side / 2)
    points = [(centre[0] + v * radius, centre[1] - a * radius) for v, a in face.trail]
    colour, width = colour_of(face.emotion), max(2, sizes.line // 2)
    if len(points) > 1:
        polyline(image, points, FAINT, width)
        # The last third in colour: it shows which way the face goes.
        polyline(image, points[-max(2, len(points) // 3) :], colour, width)
    disc(image, points[-1], sizes.small * 0.42, BACKGROUND)
    disc(image, points[-1], sizes.small * 0.30, colour)


def _ring(side: int, line: int) -> Image:
    """Opacity of the circle and its axes."""
    import cv2

    times = 4
    mask = np.zeros((side * times, side * times), np.uint8)
    half, radius = side * times // 2, side * times // 2 - line * times
    thin = max(1, line // 2) * times
    cv2.circle(mask, (half, half), radius, 48, -1)
    cv2.line(mask, (half - radius, half), (half + radius, half), 150, thin)
    cv2.line(mask, (half, half - radius), (half, half + radius), 150, thin)
    cv2.circle(mask, (half, half), radius, 255, thin)
    return np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _figures(brush: Brush, rect: Rect, face: ShownFace) -> None:
    """Valence and arousal, each in its half."""
    px = brush.style.sizes.small
    y = rect.y + (rect.height - brush.line_height(px)) // 2
    words = (brush.style.words["valence"], brush.style.words["arousal"])
    for word, value, centre in zip(words, face.trail[-1], (0.26, 0.74), strict=True):
        x = rect.x + round(rect.width * centre) - brush.width(f"{word} +0.0", px) // 2
        brush.text((x, y), word, px, FAINT)
        number = f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
        brush.text((x + brush.width(f"{word} ", px), y), number, px, TEXT)


def _bars(brush: Brush, rect: Rect, face: ShownFace) -> None:
    """A row for each emotion: symbol, name, probability."""
    sizes = brush.style.sizes
    row, side, px = sizes.row, sizes.row - 2, sizes.small
    names = sizes.names
    full, height = rect.width - names, round(0.56 * row)
    text_y = (row - brush.line_height(px)) // 2
    for number, (emotion, p) in enumerate(zip(EMOTIONS, face.probabilities, strict=True)):
        top = rect.y + number * row
        brush.symbol((rect.x, top + 1), emotion, side)
        name = _shortened(brush, emotion, names - side - sizes.gap)
        colour = TEXT if emotion is face.emotion else DIMMED
        brush.text((rect.x + side + sizes.gap // 2, top + text_y), name, px, colour)
        bar = Rect(rect.x + names, top + (row - height) // 2, full, height)
        brush.bar(bar, EMPTY)
        brush.bar(Rect(bar.x, bar.y, round(full * float(p)), height), EMOTION_COLOURS[emotion])


def _shortened(brush: Brush, emotion: Emotion, width: int) -> str:
    """The emotion's name, cut where there is no room for it."""
    name = brush.style.word(emotion)
    while len(name) > 1 and brush.width(name, brush.style.sizes.small) > width:
        name = name.removesuffix("…")[:-1] + "…"
    return name
