"""Charts as SVG, drawn by hand so that a report needs nothing from outside.

Colours are names of the style sheet's variables, so that they follow light and dark.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.overlay.symbols import SYMBOLS, WIDTH
from fer_edge.types import EMOTIONS, UNCERTAIN, Emotion

Numbers = NDArray[np.float64]

PLOT_WIDTH: Final = 640
LEFT: Final = 46
RIGHT: Final = 66
"""Room beside a plot, for the axis and for what a line is called."""

POINTS: Final = 420
"""Across a plot; a long recording is averaged down to them."""

GAP_S: Final = 0.6
"""A face that was away for longer leaves a gap in its lines."""


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


def emotions_over_time(table: Numbers, span: tuple[float, float]) -> str:
    """The eight probabilities, stacked; below them the emotion that was shown."""
    height, strip = 130, 16
    parts = [_time_axis(span, height + strip + 6)]
    for run in _runs(table):
        x = [_x(t, span) for t in run[:, 0]]
        levels = np.cumsum(run[:, 4:], axis=1)
        levels = np.hstack([np.zeros((len(run), 1)), levels / levels[:, -1:]])
        for index, emotion in enumerate(EMOTIONS):
            upper = [(a, height * (1 - b)) for a, b in zip(x, levels[:, index + 1], strict=True)]
            lower = [(a, height * (1 - b)) for a, b in zip(x, levels[:, index], strict=True)]
            parts.append(
                f"<polygon points='{_points([*upper, *lower[::-1]])}' "
                f"fill='var(--{emotion})'><title>{emotion}</title></polygon>"
            )
    for begin, end, number in _stretches(table):
        name = name_of(None if number < 0 else EMOTIONS[number])
        left = _x(begin, span)
        width = max(1.0, _x(end, span) - left)
        parts.append(
            f"<rect x='{left:.1f}' y='{height + 6}' width='{width:.1f}' height='{strip}' rx='2' "
            f"fill='var(--{name})'><title>{name}, "
            f"{clock(begin)} to {clock(end)}</title></rect>"
        )
    parts += [_label(LEFT - 8, 10, "100 %", "end"), _label(LEFT - 8, height, "0", "end")]
    parts.append(_label(PLOT_WIDTH - RIGHT + 8, height + 6 + strip - 4, "shown"))
    return _svg(
        PLOT_WIDTH, height + strip + 26, parts, "Probabilities of the eight emotions over time"
    )


def affect_over_time(table: Numbers, span: tuple[float, float]) -> str:
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
        for run in _runs(table):
            line = [(_x(t, span), y(v)) for t, v in zip(run[:, 0], run[:, column], strict=True)]
            parts.append(
                f"<polyline points='{_points(line)}' fill='none' stroke='var(--{name})' "
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

    def at(row: Numbers) -> tuple[float, float]:
        return across + radius * float(row[1]), down - radius * float(row[2])

    axes = f"M{across - radius} {down}h{2 * radius}M{across} {down - radius}v{2 * radius}"
    parts = [
        f"<circle class='axis strong' cx='{across}' cy='{down}' r='{radius}'/>",
        f"<path class='axis' d='{axes}'/>",
        _label(across, down - radius - 8, "excited", "middle"),
        _label(across, down + radius + 17, "calm", "middle"),
        _label(across + radius + 6, down + 4, "pleasant"),
        _label(across - radius - 6, down + 4, "unpleasant", "end"),
    ]
    runs = list(_runs(table))
    total = sum(len(run) for run in runs)
    seen = 0
    for run in runs:
        for begin in range(0, max(1, len(run) - 1), 12):
            piece = run[begin : begin + 13]
            strength = 0.2 + 0.8 * (seen + begin) / max(1, total)
            parts.append(
                f"<polyline points='{_points([at(row) for row in piece])}' fill='none' "
                f"stroke='var(--valence)' stroke-opacity='{strength:.2f}' stroke-width='2.2' "
                "stroke-linejoin='round' stroke-linecap='round'/>"
            )
        seen += len(run)
    first, last = at(runs[0][0]), at(runs[-1][-1])
    parts.append(
        f"<circle cx='{first[0]:.1f}' cy='{first[1]:.1f}' r='5' fill='var(--card)' "
        "stroke='var(--valence)' stroke-width='2'><title>begin</title></circle>"
    )
    parts.append(
        f"<circle cx='{last[0]:.1f}' cy='{last[1]:.1f}' r='6' fill='var(--valence)' "
        "stroke='var(--card)' stroke-width='1.5'><title>end</title></circle>"
    )
    return _svg(width, height, parts, "Path over the plane of valence and arousal")


def lanes(faces: Sequence[tuple[int, Numbers]], span: tuple[float, float]) -> str:
    """A row for each face: when it was there, and the emotion that was shown."""
    row, bar = 24, 16
    height = row * len(faces)
    parts = [_time_axis(span, height)]
    for index, (face, table) in enumerate(faces):
        top = index * row + (row - bar) / 2
        parts.append(_label(LEFT - 8, top + 12, str(face), "end"))
        for begin, end, number in _stretches(table):
            name = name_of(None if number < 0 else EMOTIONS[number])
            left = _x(begin, span)
            parts.append(
                f"<rect x='{left:.1f}' y='{top}' width='{max(1.0, _x(end, span) - left):.1f}' "
                f"height='{bar}' rx='2' fill='var(--{name})'><title>face {face}: {name}, "
                f"{clock(begin)} to {clock(end)}</title></rect>"
            )
    return _svg(PLOT_WIDTH, height + 20, parts, "When each face was there and what it showed")


def clock(seconds: float) -> str:
    """Time for people: 4.2 s, 1:07, 1:02:07."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _time_axis(span: tuple[float, float], y: float) -> str:
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


def _x(seconds: float, span: tuple[float, float]) -> float:
    share = (seconds - span[0]) / max(span[1] - span[0], 1e-9)
    return LEFT + share * (PLOT_WIDTH - LEFT - RIGHT)


def _runs(table: Numbers) -> Iterator[Numbers]:
    """Stretches without a gap, averaged down to what a plot can show."""
    cuts = np.nonzero(np.diff(table[:, 0]) > GAP_S)[0] + 1
    for run in np.split(table, cuts):
        every = math.ceil(len(table) / POINTS)
        if every == 1:
            yield run
        else:
            edges = np.arange(0, len(run), every)
            counts = np.diff([*edges, len(run)])[:, None]
            yield np.add.reduceat(run, edges, axis=0) / counts


def _stretches(table: Numbers) -> Iterator[tuple[float, float, int]]:
    """Begin, end and number of each emotion that was shown without a break."""
    times, numbers = table[:, 0], table[:, 3].astype(int)
    breaks = (np.diff(numbers) != 0) | (np.diff(times) > GAP_S)
    for part in np.split(np.arange(len(times)), np.nonzero(breaks)[0] + 1):
        after = part[-1] + 1
        joined = after < len(times) and times[after] - times[part[-1]] <= GAP_S
        yield float(times[part[0]]), float(times[after if joined else part[-1]]), numbers[part[0]]


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.4g},{y:.4g}" for x, y in points)


def _label(x: float, y: float, text: str, anchor: str = "start", *, colour: str = "") -> str:
    style = f" style='fill:{colour}'" if colour else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'{style}>{escape(text)}</text>"


def _svg(width: float, height: float, parts: Sequence[str], what: str) -> str:
    return (
        f"<svg viewBox='0 0 {width:g} {height:g}' role='img' aria-label='{escape(what)}'>"
        f"{''.join(parts)}</svg>"
    )
