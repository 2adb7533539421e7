"""Charts as SVG, drawn by hand so that a report needs nothing from outside.

Colours are names of the style sheet's variables, so that they follow light and dark.
"""

import math
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise
from typing import Final

import numpy as np

from fer_edge.analyze._reduce import (
    COLUMNS,
    Numbers,
    Span,
    Stretch,
    means,
    peaks,
    runs,
    stretches,
)
from fer_edge.overlay.symbols import SYMBOLS, WIDTH
from fer_edge.types import EMOTIONS, UNCERTAIN, Emotion

LEFT: Final = 46
RIGHT: Final = 66
"""Room beside a plot, for the axis and for what a line is called."""
PLOT_WIDTH: Final = LEFT + COLUMNS + RIGHT

Point = tuple[float, float]

SHADES: Final = 36
"""Steps of opacity of a path that is fainter where it is older."""


def name_of(emotion: Emotion | None) -> str:
    """As the tables have it."""
    return UNCERTAIN if emotion is None else emotion.value


def symbol(emotion: Emotion | None) -> str:
    """The small face."""
    mark = SYMBOLS[emotion]
    strokes = "".join(f"<polyline points='{_points(stroke)}'/>" for stroke in mark.strokes)
    dots = "".join(
        f"<circle cx='{x:.3f}' cy='{y:.3f}' r='{r:.3f}' fill='currentColor' stroke='none'/>"
        for x, y, r in mark.dots
    )
    return (
        f"<svg class='symbol' viewBox='0 0 1 1' stroke-width='{WIDTH}' stroke-linecap='round' "
        f"stroke-linejoin='round' style='color:var(--{name_of(emotion)})' role='img' "
        f"aria-label='{name_of(emotion)}'>{strokes}{dots}</svg>"
    )


def emotions_over_time(table: Numbers, span: Span) -> str:
    """The eight probabilities, stacked; below them the emotion that was shown."""
    height, strip = 130, 16
    parts = [_time_axis(span, height + strip + 6)]
    stacks = [_stack(means(run, span), span, height) for run in runs(table, span)]
    for index, emotion in enumerate(EMOTIONS):
        areas = "".join(f"{_path(stack[index])}Z" for stack in stacks)
        parts.append(f"<path d='{areas}' fill='var(--{emotion})'><title>{emotion}</title></path>")
    parts += [_rect(one, span, height + 6, strip) for one in stretches(table, span)]
    parts += [_label(LEFT - 8, 10, "100 %", "end"), _label(LEFT - 8, height, "0", "end")]
    parts.append(_label(PLOT_WIDTH - RIGHT + 8, height + 6 + strip - 4, "shown"))
    return _svg(
        PLOT_WIDTH, height + strip + 26, parts, "Probabilities of the eight emotions over time"
    )


def _stack(run: Numbers, span: Span, height: float) -> list[list[Point]]:
    """The outline of each emotion's probability, on top of those before."""
    x = _time_positions(run, span)
    levels = np.cumsum(run[:, 4:], axis=1)
    levels = height * (1 - np.hstack([np.zeros((len(run), 1)), levels / levels[:, -1:]]))
    edges = [list(zip(x, np.repeat(level, len(x) // len(run)), strict=True)) for level in levels.T]
    return [[*upper, *lower[::-1]] for lower, upper in pairwise(edges)]


def affect_over_time(table: Numbers, span: Span) -> str:
    """Valence, solid, and arousal, dashed."""
    height = 120

    def y(value: float) -> float:
        return height * (1 - value) / 2

    parts = [_time_axis(span, height)]
    for value, text in ((1, "+1"), (0, "0"), (-1, "−1")):
        strong = " strong" if value == 0 else ""
        parts.append(f"<path class='axis{strong}' d='M{LEFT} {y(value)}H{PLOT_WIDTH - RIGHT}'/>")
        parts.append(_label(LEFT - 8, y(value) + 4, text, "end"))
    for column, name, dash in ((1, "valence", ""), (2, "arousal", " stroke-dasharray='6 4'")):
        lines = []
        for run in runs(table, span):
            extremes = peaks(run, span, column)
            x = _time_positions(extremes, span)
            values = np.repeat(extremes[:, column], len(x) // len(extremes))
            lines.append(_path([(a, y(v)) for a, v in zip(x, values, strict=True)]))
        parts.append(
            f"<path d='{''.join(lines)}' fill='none' stroke='var(--{name})' "
            f"stroke-width='2' stroke-linejoin='round'{dash}/>"
        )
    ends = [y(table[-1, 1]), y(table[-1, 2])]
    # Their names must not lie on each other.
    apart = max(0.0, 19 - abs(ends[0] - ends[1])) / 2
    sign = 1 if ends[0] >= ends[1] else -1
    for name, end, shift in (("valence", ends[0], sign), ("arousal", ends[1], -sign)):
        at = min(height - 2, max(8.0, end + shift * apart + 4))
        parts.append(_label(_x(table[-1, 0], span) + 8, at, name, colour=f"var(--{name})"))
    return _svg(PLOT_WIDTH, height + 20, parts, "Valence and arousal over time")


def circumplex(table: Numbers) -> str:
    """The path over the plane, fainter where it is older; a ring where it begins, a disc at its end."""
    width, height, radius = 330, 250, 96
    across, down = width / 2, height / 2

    def at(row: Numbers) -> Point:
        return across + radius * float(row[1]), down - radius * float(row[2])

    span = (float(table[0, 0]), float(table[-1, 0]))
    # Of a long recording means: with every peak it would be a blot. Those are in the chart over time.
    paths = [[at(row) for row in means(run, span)] for run in runs(table, span)]
    parts = [
        *_circumplex_axes(across, down, radius),
        *_fading_path(paths),
        _mark(
            at(table[0]), 5, "fill='var(--card)' stroke='var(--valence)' stroke-width='2'", "begin"
        ),
        _mark(
            at(table[-1]), 6, "fill='var(--valence)' stroke='var(--card)' stroke-width='1.5'", "end"
        ),
    ]
    return _svg(width, height, parts, "Path over the plane of valence and arousal")


def _circumplex_axes(across: float, down: float, radius: float) -> list[str]:
    """The circle about this centre, its axes, and what their ends mean."""
    axes = f"M{across - radius} {down}h{2 * radius}M{across} {down - radius}v{2 * radius}"
    return [
        f"<circle class='axis strong' cx='{across}' cy='{down}' r='{radius}'/>",
        f"<path class='axis' d='{axes}'/>",
        _label(across, down - radius - 8, "excited", "middle"),
        _label(across, down + radius + 17, "calm", "middle"),
        _label(across + radius + 6, down + 4, "pleasant"),
        _label(across - radius - 6, down + 4, "unpleasant", "end"),
    ]


def _fading_path(paths: Sequence[Sequence[Point]]) -> list[str]:
    """The paths as one in `SHADES` steps of opacity, the oldest the faintest."""
    total = sum(len(path) for path in paths)
    length = math.ceil(total / SHADES)
    shades: list[list[str]] = [[] for _ in range(SHADES)]
    seen = 0
    for path in paths:
        for begin in range(0, max(1, len(path) - 1), length):
            shades[(seen + begin) * SHADES // total].append(_path(path[begin : begin + length + 1]))
        seen += len(path)
    return [
        f"<path d='{''.join(lines)}' fill='none' stroke='var(--valence)' "
        f"stroke-opacity='{0.2 + 0.8 * shade / SHADES:.2f}' stroke-width='2.2' "
        "stroke-linejoin='round' stroke-linecap='round'/>"
        for shade, lines in enumerate(shades)
        if lines
    ]


def _mark(at: Point, radius: int, style: str, title: str) -> str:
    return f"<circle cx='{at[0]:.1f}' cy='{at[1]:.1f}' r='{radius}' {style}><title>{title}</title></circle>"


def lanes(faces: Sequence[tuple[int, Numbers]], span: Span) -> str:
    """A row for each face: when it was there, and the emotion that was shown."""
    row, bar = 24, 16
    height = row * len(faces)
    parts = [_time_axis(span, height)]
    for index, (face, table) in enumerate(faces):
        top = index * row + (row - bar) // 2
        parts.append(_label(LEFT - 8, top + 12, str(face), "end"))
        parts += [_rect(one, span, top, bar, f"face {face}: ") for one in stretches(table, span)]
    return _svg(PLOT_WIDTH, height + 20, parts, "When each face was there and what it showed")


def clock(seconds: float) -> str:
    """Time for people: 4.2 s, 1:07, 1:02:07."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _time_axis(span: Span, y: float) -> str:
    length = max(span[1] - span[0], 1e-9)
    # At most eight marks, at round distances.
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
    step = next((s for s in steps if length / s <= 8), length / 8)
    marks = [step * n for n in range(math.ceil(span[0] / step), math.floor(span[1] / step) + 1)]
    parts = [f"<path class='axis' d='M{LEFT} {y}H{PLOT_WIDTH - RIGHT}'/>"]
    for mark in marks:
        x = _x(mark, span)
        text = f"{mark:g} s" if length < 60 else clock(mark) if mark >= 60 else f"0:{mark:02.0f}"
        parts.append(f"<path class='axis' d='M{x:.1f} {y}v4'/>" + _label(x, y + 17, text, "middle"))
    return "".join(parts)


def _x(seconds: float, span: Span) -> float:
    share = (seconds - span[0]) / max(span[1] - span[0], 1e-9)
    return LEFT + share * (PLOT_WIDTH - LEFT - RIGHT)


def _time_positions(run: Numbers, span: Span) -> list[float]:
    """Horizontal positions of the rows, over at least one unit, so that a short run is seen.

    A single row has two.
    """
    x = [_x(float(t), span) for t in run[:, 0]]
    middle = (x[0] + x[-1]) / 2
    return x if x[-1] - x[0] >= 1 else list(np.linspace(middle - 0.5, middle + 0.5, max(2, len(x))))


def _rect(one: Stretch, span: Span, top: float, height: float, who: str = "") -> str:
    """A stretch, at least a unit wide."""
    name = name_of(None if one.number < 0 else EMOTIONS[one.number])
    left = _x(one.begin, span)
    width = max(1.0, _x(one.end, span) - left)
    what = f"mostly {name}" if one.merged else name
    return (
        f"<rect x='{left:.1f}' y='{top}' width='{width:.1f}' height='{height}' rx='2' "
        f"fill='var(--{name})'><title>{who}{what}, "
        f"{clock(one.begin)} to {clock(one.end)}</title></rect>"
    )


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{x:.4g},{y:.4g}" for x, y in points)


def _path(points: Sequence[Point]) -> str:
    """A path in tenths of a unit, as steps from one point to the next: half as long as coordinates."""
    tenths = np.rint(10 * np.array(points)).astype(int)
    (x, y), steps = tenths[0], np.diff(tenths, axis=0)
    # A single point is a line to itself: where its ends are round, a dot.
    line = " ".join(f"{dx / 10:g},{dy / 10:g}" for dx, dy in steps) or "0,0"
    return f"M{x / 10:g},{y / 10:g}l{line}"


def _label(x: float, y: float, text: str, anchor: str = "start", *, colour: str = "") -> str:
    style = f" style='fill:{colour}'" if colour else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'{style}>{escape(text)}</text>"


def _svg(width: float, height: float, parts: Sequence[str], what: str) -> str:
    return (
        f"<svg viewBox='0 0 {width:g} {height:g}' role='img' aria-label='{escape(what)}'>"
        f"{''.join(parts)}</svg>"
    )
