"""Figures as text: a table for the terminal, Markdown for a README, JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from fer_edge.evaluation import metrics
from fer_edge.evaluation.measure import REPORTED_FIGURES, Evaluation
from fer_edge.evaluation.people import Beside, beside, beside_rows
from fer_edge.modelcard import Metrics
from fer_edge.types import EMOTIONS

FIGURES: Final = {
    "rmse": "RMSE",
    "normalised_rmse": "normalised RMSE",
    "sagr": "SAGR",
    "ccc": "CCC",
}
PLANE_COLUMNS: Final = ("valence", "95 %", "arousal", "95 %")
CLASS_COLUMNS: Final = ("faces", "TPR", "95 %", "FNR", "PPV", "FDR")
"""Of a class: sensitivity, miss rate, precision, false discovery rate."""

PEOPLE_COLUMNS: Final = ("against the others' consensus", "a person", "the model", "nearer")

Rows = list[tuple[str, ...]]


def report(evaluation: Evaluation) -> dict[str, Any]:
    """Everything that was measured, for JSON; what does not exist is null."""
    classes = metrics.class_figures(evaluation.table)
    return {
        "model": evaluation.card.name,
        "sha256": evaluation.card.sha256,
        "temperature": evaluation.card.temperature,
        "averaged_temperature": evaluation.card.averaged_temperature,
        "mirror": evaluation.mirror,
        "figures": evaluation.figures.model_dump(mode="json"),
        "not_as_the_card_states": evaluation.differs_from_card,
        "classes": {
            emotion: {name: _finite(value) for name, value in vars(figures).items()}
            for emotion, figures in zip(EMOTIONS, classes, strict=True)
        },
        "confusion": evaluation.table.tolist(),
        "latency_ms": evaluation.latency_ms,
        "threads": evaluation.threads,
        "people": [vars(one) for one in people(evaluation)] or None,
    }


def people(evaluation: Evaluation) -> list[Beside]:
    """The model beside each annotator; empty where it is not known what they said, or of one alone."""
    said = evaluation.samples.people
    if said is None or len(said.names) < 2:
        return []
    predictions = evaluation.predictions
    return beside(said, predictions.probabilities.argmax(1), predictions.valence_arousal)


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def overall_rows(figures: Metrics) -> Rows:
    """Name, value and interval of the figures of the classes."""
    return [
        (
            name.replace("_", " ").replace("f1", "F1"),
            f"{getattr(figures, name):.4f}",
            _interval(figures, name),
        )
        for name in REPORTED_FIGURES
    ]


def class_rows(figures: Metrics, table: Any) -> Rows:
    """A row for each class, as in ``CLASS_COLUMNS``."""
    return [
        (
            str(emotion),
            str(one.samples),
            _share(one.sensitivity),
            _interval(figures, f"sensitivity.{emotion}"),
            _share(one.miss_rate),
            _share(one.precision),
            _share(one.false_discovery_rate),
        )
        for emotion, one in zip(EMOTIONS, metrics.class_figures(table), strict=True)
    ]


def plane_rows(figures: Metrics) -> Rows:
    """A row for each figure of valence and arousal, as in ``PLANE_COLUMNS``."""
    axes = {"valence": figures.valence, "arousal": figures.arousal}
    rows: Rows = []
    for field, name in FIGURES.items():
        cells: list[str] = []
        for axis, known in axes.items():
            value = getattr(known, field, None)
            cells += [
                "–" if value is None else f"{value:.4f}",
                _interval(figures, f"{axis}.{field}"),
            ]
        rows.append((name, *cells))
    return rows if any(axes.values()) else []


def confusion_rows(table: Any) -> Rows:
    """Truth down, prediction across."""
    return [
        (str(emotion), *(str(count) for count in row))
        for emotion, row in zip(EMOTIONS, table, strict=True)
    ]


def notes(evaluation: Evaluation) -> list[str]:
    """What one must know to read the figures."""
    figures, card, ms = evaluation.figures, evaluation.card, evaluation.latency_ms
    latency = f"{ms['p50']:g} ms (p50), {ms['p95']:g} ms (p95)"
    lines = [
        f"What is right: {figures.label_source}.",
        f"Valence and arousal: {figures.valence_arousal_source}.",
        "TPR is sensitivity, FNR miss rate, PPV precision, FDR false discovery rate.",
        f"Probabilities are calibrated by temperature {card.temperature:g}.",
        f"A face takes {latency} on this machine, threads: {evaluation.threads}.",
    ]
    if found := people(evaluation):
        lines.append(
            f"Beside people: the mean of {len(found)}, each and the model against the consensus of the "
            "others, on the same faces."
        )
    if evaluation.mirror:
        lines.append(
            "The mean of each picture and its mirror image, as of a face in view, calibrated by "
            f"temperature {card.averaged_temperature:g} once more."
        )
    changed = evaluation.differs_from_card
    if changed is not None:
        same = "Every figure is the one that the card states."
        lines.append(f"Not as the card states: {', '.join(changed)}." if changed else same)
    return lines


def markdown(name: str, figures: Metrics, table: Any = None) -> str:
    """The figures as tables for a README; those of single classes too if their ``table`` is given."""
    parts = [
        f"**{name}** on {figures.dataset}, {figures.split}: {figures.samples} faces",
        markdown_table(("figure", "value", "95 %"), overall_rows(figures)),
        markdown_table(("", *PLANE_COLUMNS), plane_rows(figures)),
    ]
    if table is not None:
        parts.append(markdown_table(("", *CLASS_COLUMNS), class_rows(figures, table)))
        parts.append("Confusion matrix: what it is down, what was predicted across.")
        parts.append(markdown_table(("", *EMOTIONS), confusion_rows(table)))
    else:
        found = [_share(figures.sensitivity.get(emotion, np.nan)) for emotion in EMOTIONS]
        parts.append(markdown_table(("", *EMOTIONS), [("sensitivity", *found)]))
    return "\n\n".join(part for part in parts if part)


def full_markdown(evaluation: Evaluation) -> str:
    """Everything, for a file."""
    body = markdown(evaluation.name, evaluation.figures, evaluation.table)
    beside_people = markdown_table(PEOPLE_COLUMNS, beside_rows(people(evaluation)))
    body += f"\n\n{beside_people}" if beside_people else ""
    return body + "\n\n" + "\n".join(f"- {note}" for note in notes(evaluation))


def show(evaluation: Evaluation, console: Console) -> None:
    """The figures on a terminal."""
    figures, table = evaluation.figures, evaluation.table
    console.print(f"[bold]{evaluation.name}[/] on {figures.dataset}, {figures.split}")
    console.print(f"{figures.samples} faces\n")
    console.print(_rich(("", "value", "95 %"), overall_rows(figures)))
    console.print(_rich(("", *CLASS_COLUMNS), class_rows(figures, table)))
    if plane_rows(figures):
        console.print(_rich(("", *PLANE_COLUMNS), plane_rows(figures)))
    console.print(_rich(("is ↓ predicted →", *EMOTIONS), confusion_rows(table)))
    if found := people(evaluation):
        console.print(_rich(PEOPLE_COLUMNS, beside_rows(found)))
    for note in notes(evaluation):
        console.print(note, style="dim", highlight=False)


def _interval(figures: Metrics, name: str) -> str:
    bounds = figures.intervals.get(name)
    return f"{bounds[0]:.3f}–{bounds[1]:.3f}" if bounds else ""


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of a Markdown table; nothing for no rows."""
    if not rows:
        return ""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _rich(columns: tuple[str, ...], rows: Rows) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    for row in rows:
        table.add_row(*row)
    table.add_row()
    return table
