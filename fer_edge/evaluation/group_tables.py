"""Figures by group as text and for JSON."""

from __future__ import annotations

from typing import Any, Final

from fer_edge.evaluation.bootstrap import Interval
from fer_edge.evaluation.groups import LEAST_FACES, Column, Gap, Group
from fer_edge.evaluation.tables import markdown_table

FIGURES: Final = {
    "macro_f1": "macro F1",
    "valence.rmse": "valence RMSE",
    "valence.ccc": "valence CCC",
    "arousal.rmse": "arousal RMSE",
    "arousal.ccc": "arousal CCC",
}


def groups_report(columns: list[Column]) -> dict[str, Any]:
    """For JSON; what is not defined is left out, a gap that nobody can state is null."""
    return {
        column.name: {
            "groups": {group.name: _one(group) for group in column.groups},
            "without_group": column.ungrouped,
            "gap": None if column.gap is None else _gap(column.gap),
        }
        for column in columns
    }


def groups_markdown(columns: list[Column]) -> str:
    """A table for each column, and what its gap is."""
    head = [f"{name} (95 %)" for name in ("accuracy", *FIGURES.values())]
    parts = []
    for column in columns:
        rows = [_row(group) for group in column.groups]
        parts += [markdown_table([column.name, "faces", *head, ""], rows), _words(column)]
    return "\n\n".join(part for part in parts if part)


def _row(group: Group) -> list[str]:
    cells = [_cell(group.accuracy, group.accuracy_interval)]
    for figure in FIGURES:
        known = figure in group.figures
        cells.append(_cell(group.figures[figure], group.intervals[figure]) if known else "–")
    note = "" if group.says_something else "too few to say"
    return [group.name.replace("|", "\\|"), str(group.faces), *cells, note]


def _words(column: Column) -> str:
    """One paragraph below a table."""
    lines = []
    gap = column.gap
    if gap is None:
        lines.append(
            f"No gap can be stated: fewer than two groups have {LEAST_FACES} faces or more."
        )
    else:
        low, high = gap.interval
        lines.append(
            f"Gap in accuracy between {gap.best} and {gap.worst}: {gap.accuracy:.3f} "
            f"({low:.3f} to {high:.3f})."
        )
        if low <= 0:
            lines.append("It may be chance.")
        if sum(group.says_something for group in column.groups) > 2:
            lines.append("The extremes of several groups differ by chance, too.")
    small = [group.name for group in column.groups if not group.says_something]
    if small:
        lines.append(f"Fewer than {LEAST_FACES} faces, too few to say: {', '.join(small)}.")
    if column.ungrouped:
        lines.append(f"Faces without a group: {column.ungrouped}.")
    return " ".join(lines)


def _cell(value: float, bounds: Interval) -> str:
    return f"{value:.3f} ({bounds[0]:.3f} to {bounds[1]:.3f})"


def _one(group: Group) -> dict[str, Any]:
    return {
        "faces": group.faces,
        "too_few_to_say": not group.says_something,
        "accuracy": round(group.accuracy, 4),
        **{name: round(value, 4) for name, value in group.figures.items()},
        "intervals": {
            "accuracy": _rounded(group.accuracy_interval),
            **{name: _rounded(bounds) for name, bounds in group.intervals.items()},
        },
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "best": gap.best,
        "worst": gap.worst,
        "accuracy": round(gap.accuracy, 4),
        "interval": _rounded(gap.interval),
    }


def _rounded(bounds: Interval) -> tuple[float, float]:
    return round(bounds[0], 4), round(bounds[1], 4)
