"""Reduces a recording to what a chart can show: at most as many values as it has columns."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Span = tuple[float, float]
"""Begin and end of a chart in seconds."""

COLUMNS: Final = 528
"""Width of a chart in units, each about a pixel."""

GAP_S: Final = 0.6
"""A face that was away for longer leaves a gap in its lines."""


class Stretch(NamedTuple):
    """An emotion that was shown without a break."""

    begin: float
    """In seconds, as the end."""
    end: float
    number: int
    """Of the emotion, -1 while uncertain."""
    merged: bool = False
    """Whether it was only shown longest of several."""


def column_s(span: Span) -> float:
    """Seconds to a column."""
    return max(span[1] - span[0], 1e-9) / COLUMNS


def stretches(table: Numbers, span: Span) -> list[Stretch]:
    """The emotions that were shown, one after the other.

    Those shorter than a column are merged where they begin in the same one: it shows the emotion
    that was shown longest in it. So there are at most two to a column.
    """
    limit = column_s(span)
    merged: list[Stretch] = []
    group: list[Stretch] = []
    for one in _shown(table):
        short = one.end - one.begin < limit
        if group and not (short and one.begin // limit == group[0].begin // limit):
            _add(merged, group)
            group = []
        if short:
            group.append(one)
        else:
            merged.append(one)
    if group:
        _add(merged, group)
    return merged


def _add(merged: list[Stretch], group: Sequence[Stretch]) -> None:
    """Add one column; it joins the one before if that is merged too, and touches it."""
    lengths: dict[int, float] = {}
    for one in group:
        lengths[one.number] = lengths.get(one.number, 0.0) + one.end - one.begin
    number = max(lengths, key=lambda key: lengths[key])
    begin, several = group[0].begin, len(lengths) > 1
    last = merged[-1] if merged else None
    if last and several and last.merged and (last.number, last.end) == (number, begin):
        begin = merged.pop().begin
    merged.append(Stretch(begin, group[-1].end, number, several))


def _shown(table: Numbers) -> Iterator[Stretch]:
    """Every stretch, however short."""
    times, numbers = table[:, 0], table[:, 3].astype(int)
    breaks = (np.diff(numbers) != 0) | (np.diff(times) > GAP_S)
    starts = np.concatenate([[0], np.nonzero(breaks)[0] + 1])
    for first, after in zip(starts, [*starts[1:], len(times)], strict=True):
        joined = after < len(times) and times[after] - times[after - 1] <= GAP_S
        end = times[after if joined else after - 1]
        yield Stretch(float(times[first]), float(end), int(numbers[first]))


def runs(table: Numbers, span: Span) -> list[Numbers]:
    """The rows without a gap; a gap that is narrower than a column is none."""
    limit = max(GAP_S, column_s(span))
    return np.split(table, np.nonzero(np.diff(table[:, 0]) > limit)[0] + 1)


def means(run: Numbers, span: Span) -> Numbers:
    """At most one row to a column: the mean of those in it."""
    edges = _edges(run, span)
    counts = np.diff([*edges, len(run)])[:, None]
    return np.asarray(np.add.reduceat(run, edges, axis=0) / counts)


def peaks(run: Numbers, span: Span, field: int) -> Numbers:
    """Rows where this field is lowest and highest in a column; and the ends.

    A mean would hide a second in a recording of an hour; so the line reaches every extreme.
    """
    rows = {0, len(run) - 1}
    edges = _edges(run, span)
    for first, after in zip(edges, [*edges[1:], len(run)], strict=True):
        part = run[first:after, field]
        rows |= {int(first + part.argmin()), int(first + part.argmax())}
    return run[sorted(rows)]


def _edges(run: Numbers, span: Span) -> NDArray[np.intp]:
    """The first row in each column."""
    columns = (run[:, 0] - span[0]) // column_s(span)
    return np.concatenate([[0], np.nonzero(np.diff(columns))[0] + 1])
