"""`fer-edge agreement`: how far the annotators agree, and what they decide together."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from fer_edge.annotate._consensus import people_of
from fer_edge.annotate._run import require
from fer_edge.annotate._sheet import write_sheet
from fer_edge.annotate._store import Store, StoredFace
from fer_edge.errors import ConfigError, SinkError
from fer_edge.evaluation.people import NO_FACE, THESIS, UNDECIDED, WORDS, People, consensus, pairs
from fer_edge.types import EMOTIONS


def agreement(folder: Path, out: Path, *, as_json: bool) -> None:
    """Print how far the annotators agree; write the consensus to `out` and a contact sheet beside it.

    Raises:
        ConfigError: nobody has answered yet, or a package is missing.
        SinkError: the files cannot be written.
    """
    require("krippendorff", "fer-edge agreement")
    store = Store(folder, create=False)
    everything = store.faces()
    people = people_of(store, everything)
    asked = np.flatnonzero((people.labels != UNDECIDED).any(0))
    if not asked.size:
        raise ConfigError(f"{folder}: nobody has answered yet; label faces with fer-edge annotate")
    faces, people = [everything[i] for i in asked], people[asked]
    report = _report(people, faces)
    sheet = out.with_name("low_agreement.png")
    try:
        write_csv(out, folder, faces, people)
        report["low_agreement"] = write_sheet(sheet, folder, faces, people)
    except OSError as error:
        raise SinkError(f"{out}: {error.strerror or error}; choose another --out") from error
    if as_json:
        sys.stdout.write(json.dumps(report, indent=2, allow_nan=False) + "\n")
    else:
        _show(report, out, sheet)


def alpha(values: np.ndarray[Any, Any], level: str) -> float | None:
    """Krippendorff's alpha of ``[A, N]`` values with NaN for none; None where it is not defined."""
    import krippendorff

    together = values[:, (~np.isnan(values)).sum(0) > 1]
    if not together.size or len(np.unique(together[~np.isnan(together)])) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=together, level_of_measurement=level))


def _report(people: People, faces: Sequence[StoredFace]) -> dict[str, Any]:
    labels, _ = consensus(people.labels, people.plane)
    emotions = np.where(people.labels == UNDECIDED, np.nan, people.labels.astype(float))
    emotions[emotions == NO_FACE] = np.nan
    return {
        "annotators": {
            name: int((row != UNDECIDED).sum())
            for name, row in zip(people.names, people.labels, strict=True)
        },
        "faces": len(faces),
        "pairs": {name: round(value, 4) for name, value in pairs(people).items()},
        "thesis": THESIS,
        "alpha": {
            "emotion": alpha(emotions, "nominal"),
            "valence": alpha(people.plane[..., 0], "interval"),
            "arousal": alpha(people.plane[..., 1], "interval"),
        },
        "undecided": [
            face.file for face, label in zip(faces, labels, strict=True) if label == UNDECIDED
        ],
    }


def _show(report: dict[str, Any], out: Path, sheet: Path) -> None:
    from rich.table import Table

    console = Console()
    said = ", ".join(f"{name} {count}" for name, count in report["annotators"].items())
    console.print(f"{report['faces']} faces; answers: {said}\n", markup=False, highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for i, column in enumerate(("between annotators", "here", "thesis, table 4.3")):
        table.add_column(column, justify="right" if i else "left")
    for name, value in THESIS.items():
        here = report["pairs"].get(name)
        table.add_row(
            name.replace(".", " "), "–" if here is None else f"{here:.3f}", f"{value:.3f}"
        )
    for name, value in report["alpha"].items():
        table.add_row(f"Krippendorff's alpha, {name}", "–" if value is None else f"{value:.3f}", "")
    console.print(table)
    if len(report["annotators"]) < 2:
        console.print("One annotator alone: how far people agree takes two.")
    open_ = report["undecided"]
    if open_:
        console.print(
            f"\n{len(open_)} undecided, for more annotators (annotate --undecided): "
            + ", ".join(open_[:20]) + (" …" if len(open_) > 20 else ""),
            markup=False, highlight=False,
        )  # fmt: skip
    files = f"{out}, {sheet}" if report["low_agreement"] else str(out)
    console.print(f"\nwritten: {files}", markup=False, highlight=False, soft_wrap=True)


def write_csv(path: Path, folder: Path, faces: Sequence[StoredFace], people: People) -> None:
    """The consensus and every answer, a row for each face but those that are none.

    An undecided face has no emotion, so that `evaluate` and training leave it out.
    """
    labels, plane = consensus(people.labels, people.plane)
    fixed = ["file", "x", "y", "width", "height", "angle", "emotion", "valence", "arousal"]
    own = [f"{what}:{name}" for name in people.names for what in ("emotion", "valence", "arousal")]
    begun = path.with_name(path.name + ".part")
    with begun.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*fixed, *map(str, EMOTIONS), *own])
        for i, face in enumerate(faces):
            if labels[i] == NO_FACE:
                continue
            where = os.path.relpath(folder / face.file, path.parent)
            emotion = "" if labels[i] == UNDECIDED else WORDS[labels[i]]
            votes = [int((people.labels[:, i] == number).sum()) for number in range(NO_FACE)]
            answers = [
                cell
                for row in range(len(people.names))
                for cell in (_word(people.labels[row, i]), *map(_number, people.plane[row, i]))
            ]
            box = face.box or ("",) * 4
            angle = face.angle if face.box else ""
            writer.writerow(
                [where, *box, angle, emotion, *map(_number, plane[i]), *votes, *answers]
            )
    begun.replace(path)


def _word(label: int) -> str:
    return "" if label == UNDECIDED else WORDS[label]


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4g}"
