"""`fer-edge evaluate`: one model file over a data set, printed and drawn."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from rich.console import Console

from fer_edge.errors import SinkError
from fer_edge.evaluation.datasets import load
from fer_edge.evaluation.group_tables import groups_markdown, groups_report
from fer_edge.evaluation.groups import Column, by_group, read_groups
from fer_edge.evaluation.measure import Evaluation
from fer_edge.evaluation.measure import evaluate as measure_file
from fer_edge.evaluation.robust import CONDITIONS, Robustness, robustness, rows_of
from fer_edge.evaluation.tables import full_markdown, markdown_table, report, show
from fer_edge.modelcard import find_card, read_model
from fer_edge.progress import progress_bars

OutputFormat = Literal["table", "markdown", "json"]


def evaluate(
    *,
    models: Path,
    alpha: float,
    precision: str,
    dataset: str,
    split: str,
    threads: int,
    mirror: bool,
    output_format: OutputFormat,
    out: Path | None,
    groups: Path | None = None,
) -> None:
    """Measure a model and print its figures; tables and pictures go into the folder ``out``.

    With ``groups``, a CSV file, the figures of each group of faces follow.

    Raises:
        ModelError: no such model, or it cannot be used.
        ConfigError: no such data set, groups that cannot be read, or pictures are asked for without
            matplotlib.
        SinkError: the folder cannot be written.
    """
    if out is not None:
        # Fails before minutes of measuring, not after.
        from fer_edge.evaluation.plots import require_matplotlib

        require_matplotlib()
    card = find_card(models, alpha, precision)
    model = read_model(card, models)
    samples = load(dataset, split)
    columns = read_groups(groups, samples.names) if groups and len(samples) else {}
    with progress_bars() as add_bar:
        advance = add_bar(card.name, len(samples))
        evaluation = measure_file(
            card, model, samples, threads=threads, mirror=mirror, advance=advance
        )
    grouped = by_group(evaluation, columns)
    _print(evaluation, grouped, output_format)
    if out is not None:
        write(evaluation, out, grouped)


def _print(evaluation: Evaluation, grouped: list[Column], output_format: OutputFormat) -> None:
    match output_format:
        case "json":
            sys.stdout.write(_json(evaluation, grouped) + "\n")
        case "markdown":
            sys.stdout.write(_markdown(evaluation, grouped) + "\n")
        case "table":
            show(evaluation, Console())
            if grouped:
                sys.stdout.write(f"\n{groups_markdown(grouped)}\n")


def evaluate_robust(
    *,
    folders: Sequence[Path],
    alpha: float,
    precision: str,
    dataset: str,
    split: str,
    threads: int,
    output_format: OutputFormat,
    out: Path | None,
) -> None:
    """Measure the models of one width in all ``folders`` under hard conditions, and print a table.

    Raises:
        ModelError: no such model, or it cannot be used.
        ConfigError: no such data set, or a picture is asked for without matplotlib.
        SinkError: the folder ``out`` cannot be written.
    """
    if out is not None:
        from fer_edge.evaluation.plots import require_matplotlib

        require_matplotlib()
    samples = load(dataset, split)
    measured = []
    with progress_bars() as add_bar:
        for folder in folders:
            card = find_card(folder, alpha, precision)
            advance = add_bar(f"{folder.name}/{card.name}", 3 * len(CONDITIONS))
            found = robustness(
                card, read_model(card, folder), samples, threads=threads, advance=advance
            )
            measured.append(replace(found, name=f"{folder.name}/{card.name}"))
    _print_robust(
        measured, output_format, f"{split} of {dataset.partition(':')[0]}, {len(samples)} faces"
    )
    if out is not None:
        _draw_robust(measured, out, f"robust_{alpha:g}_{precision}.png")


def _print_robust(
    measured: Sequence[Robustness], output_format: OutputFormat, caption: str
) -> None:
    if output_format == "json":
        rows = [asdict(one) | {"relative": one.relative} for one in measured]
        sys.stdout.write(json.dumps(rows) + "\n")
        return
    head, *body = rows_of(measured)
    sys.stdout.write(f"{caption}\n\n{markdown_table(head, body)}\n")


def _draw_robust(measured: Sequence[Robustness], folder: Path, file: str) -> None:
    from fer_edge.evaluation.plots import draw_robust

    try:
        folder.mkdir(parents=True, exist_ok=True)
        draw_robust(measured, folder / file)
    except OSError as error:
        raise SinkError(
            f"--out {folder}: {error.strerror or error}; choose another folder"
        ) from error


def write(evaluation: Evaluation, folder: Path, grouped: Sequence[Column] = ()) -> None:
    """Write NAME.json, NAME.md and the pictures of an evaluation.

    Raises:
        SinkError: the folder cannot be written.
    """
    from fer_edge.evaluation.plots import draw

    name = evaluation.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(_json(evaluation, list(grouped)) + "\n")
        (folder / f"{name}.md").write_text(_markdown(evaluation, list(grouped)) + "\n")
        draw(evaluation, folder)
    except OSError as error:
        raise SinkError(
            f"--out {folder}: {error.strerror or error}; choose another folder"
        ) from error


def _json(evaluation: Evaluation, grouped: list[Column]) -> str:
    more = {"groups": groups_report(grouped)} if grouped else {}
    return json.dumps(report(evaluation) | more, indent=2, allow_nan=False)


def _markdown(evaluation: Evaluation, grouped: list[Column]) -> str:
    return "\n\n".join(filter(None, (full_markdown(evaluation), groups_markdown(grouped))))
