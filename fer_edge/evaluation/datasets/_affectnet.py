"""AffectNet as distributed, for those who hold it.

Mollahosseini, Hasani and Mahoor, *AffectNet: A Database for Facial Expression, Valence, and Arousal
Computing in the Wild*, IEEE Transactions on Affective Computing, 2017 (arXiv:1708.03985).  Two
layouts exist: the first release's ``training.csv`` and ``validation.csv`` beside a folder
``Manually_Annotated_Images``, with face boxes; and the later ``train_set`` and ``val_set``, each with
``images/N.jpg``, cut to the face, and ``annotations/N_exp.npy``, ``N_val.npy``, ``N_aro.npy``.  Its
expressions 0 to 7 are our classes in our order; 8 to 10 (none, uncertain, no face) are dropped.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fer_edge.errors import ConfigError
from fer_edge.evaluation.datasets._samples import (
    Origin,
    Pictures,
    Samples,
    StoredFace,
    split_positions,
)
from fer_edge.modelcard import DataSource
from fer_edge.types import EMOTIONS, Box

COLUMNS: Final = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
"""Columns of the CSV files; some copies of ``validation.csv`` have no header."""

VALIDATION_SHARE = 0.05
"""Share of the training set that is the validation split here: AffectNet's own is the test."""
THESIS_TEST_SHARE = 0.2
"""Share of the training set that the thesis tests on."""


@dataclass(frozen=True)
class _Row:
    name: str
    face: StoredFace
    expression: int
    valence: float
    arousal: float


def load_affectnet(folder: Path, split: str, *, thesis: bool = False) -> Samples:
    """Read one split; pictures stay in their files until they are asked for.

    Train and validation are parts of AffectNet's training set; test is its validation set (its own
    test set was never published), or with ``thesis`` a random fifth of the training set.

    Raises:
        ConfigError: no AffectNet there, or a field that is no number.
    """
    held_out = split == "test" and not thesis
    rows = [row for row in _rows(folder, held_out) if 0 <= row.expression < len(EMOTIONS)]
    if not held_out:
        test_share = THESIS_TEST_SHARE if thesis else 0.0
        low, high = {
            "test": (0.0, test_share),
            "validation": (test_share, test_share + VALIDATION_SHARE),
            "train": (test_share + VALIDATION_SHARE, 1.0),
        }[split]
        positions = split_positions([row.name for row in rows])
        rows = [
            row for row, position in zip(rows, positions, strict=True) if low <= position < high
        ]
    plane = np.array([(row.valence, row.arousal) for row in rows], np.float32).reshape(-1, 2)
    # -2 stands for "not annotated".
    plane[np.abs(plane).max(1, initial=0) > 1] = np.nan
    labels = np.array([row.expression for row in rows], np.int64)
    return Samples(
        pictures=Pictures(row.face for row in rows),
        soft_labels=np.eye(len(EMOTIONS), dtype=np.float32)[labels],
        labels=labels,
        valence_arousal=plane,
        names=np.array([row.name for row in rows], np.str_),
        origin=_origin(split, thesis),
    )


def _origin(split: str, thesis: bool) -> Origin:
    test_source = "a random fifth of its training set" if thesis else "its own validation set"
    return Origin(
        dataset="AffectNet",
        split=f"{split} ({test_source})"
        if split == "test"
        else f"{split} (part of its training set)",
        label_source="AffectNet: one annotator a picture (Mollahosseini et al. 2017)",
        valence_arousal_source="AffectNet: annotated, by one annotator a picture",
        data=(
            DataSource(
                name="AffectNet (Mollahosseini et al. 2017)",
                licence="research terms of its authors",
                use="training split: weights; validation split: choice and calibration",
            ),
        ),
    )


def _rows(folder: Path, held_out: bool) -> Iterator[_Row]:
    """Every face of the training set, or of the one that is held out, in either layout."""
    later = folder / ("val_set" if held_out else "train_set")
    if (later / "annotations").is_dir():
        return _later_release(later)
    name = "validation.csv" if held_out else "training.csv"
    lists = sorted(folder.rglob(name))
    images = next((path for path in sorted(folder.rglob("Manually_Annotated_Images"))), None)
    if not lists or images is None:
        raise ConfigError(
            f"data set {folder}: neither {later.name}/annotations nor {name} with "
            "Manually_Annotated_Images there; name AffectNet's folder"
        )
    return _first_release(lists[0], images)


def _first_release(path: Path, images: Path) -> Iterator[_Row]:
    with path.open(newline="", encoding="utf-8") as lines:
        for number, fields in enumerate(csv.reader(lines), 1):
            if fields[:1] == [COLUMNS[0]]:
                continue
            row = dict(zip(COLUMNS, fields, strict=False))
            try:
                box = Box(*(float(row[column]) for column in COLUMNS[1:5]))
                expression = int(row["expression"])
                valence, arousal = float(row["valence"]), float(row["arousal"])
            except (KeyError, ValueError) as error:
                raise ConfigError(
                    f"{path}: line {number}: {error}; fetch AffectNet's list again"
                ) from None
            name = row[COLUMNS[0]]
            yield _Row(name, StoredFace(images / name, box), expression, valence, arousal)


def _later_release(folder: Path) -> Iterator[_Row]:
    for path in sorted((folder / "annotations").glob("*_exp.npy")):
        stem = path.name.removesuffix("_exp.npy")
        expression, valence, arousal = (
            _number(path.with_name(f"{stem}_{what}.npy")) for what in ("exp", "val", "aro")
        )
        face = StoredFace(folder / "images" / f"{stem}.jpg")
        yield _Row(f"{folder.name}/{stem}.jpg", face, int(expression), valence, arousal)


def _number(path: Path) -> float:
    """The one value of a file; AffectNet stores it as text."""
    try:
        return float(np.load(path, allow_pickle=False).item())
    except (OSError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise ConfigError(f"data set: {path}: {why}; fetch AffectNet's annotations again") from None
