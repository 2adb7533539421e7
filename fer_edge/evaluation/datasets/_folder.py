"""Pictures of your own: a folder with a ``labels.csv``.

Columns, in any order; the first and either of the next two are needed:

- ``file``: picture, relative to the CSV file;
- ``emotion``: one of the eight names; or
- ``neutral`` … ``contempt``: eight columns with the number of votes for each; beside ``emotion`` they
  are the soft labels of training, and ``emotion`` is what counts as right;
- ``x``, ``y``, ``width``, ``height``: the face's box in pixels; without, the picture is the face;
- ``person``: who is seen, so that nobody is both learned from and judged by;
- ``angle``: tilt of the head in degrees, clockwise;
- ``emotion:NAME``, ``valence:NAME``, ``arousal:NAME``: what one annotator said;
- ``valence``, ``arousal``: in [-1, 1]; empty where unknown;
- ``split``: ``train``, ``validation`` or ``test``; without, 80, 10 and 10 % chosen by file name.

Rows without an emotion are left out.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError
from fer_edge.evaluation.datasets._samples import (
    Origin,
    Pictures,
    Samples,
    StoredFace,
    split_positions,
)
from fer_edge.evaluation.people import NO_FACE, NOT_A_FACE, UNDECIDED, People
from fer_edge.modelcard import DataSource
from fer_edge.types import EMOTIONS, Box, Emotion

SPLITS_BY_POSITION: Final = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}
"""Where the positions of `split_positions` must lie for each split."""
BOX: Final = ("x", "y", "width", "height")

ANSWER: Final = "emotion:"
"""Begins the name of a column with one annotator's answers."""

Row = dict[str, str]


def load_folder(folder: Path, split: str) -> Samples:
    """Read the rows of one split, or of ``all``; ``folder`` may also be the CSV file itself.

    Raises:
        ConfigError: no such file, or a column or value that is missing or wrong.
    """
    path = folder / "labels.csv" if folder.is_dir() else folder
    rows = _of_split(_read(path), split, path)
    labels = [_labels(row, path, line) for line, row in rows]
    soft = np.array([votes for votes, _ in labels], np.float32).reshape(-1, 8)
    right = np.array([label for _, label in labels], np.int64)
    known = right != UNDECIDED
    rows = [row for row, keep in zip(rows, known, strict=True) if keep]
    soft = soft[known]
    named = [column for column in (rows[0][1] if rows else ()) if column.startswith(ANSWER)]
    return Samples(
        pictures=Pictures(_face(row, path, line) for line, row in rows),
        soft_labels=soft / soft.sum(1, keepdims=True),
        labels=right[known],
        valence_arousal=_plane(rows, path),
        names=np.array([row["file"] for _, row in rows], np.str_),
        origin=_origin(path, split),
        persons=_persons(rows, path),
        people=_people([column.removeprefix(ANSWER) for column in named], rows, path),
    )


def _persons(rows: list[tuple[int, Row]], path: Path) -> NDArray[np.str_] | None:
    """Who is seen in each row, ``[N]``; None without such a column."""
    if not rows or "person" not in rows[0][1]:
        return None
    for line, row in rows:
        if not (row["person"] or "").strip():
            raise ConfigError(
                f"{path}: line {line}: person: empty; name who is seen, or leave the column out"
            )
    return np.array([row["person"].strip() for _, row in rows], np.str_)


def _origin(path: Path, split: str) -> Origin:
    """All that is known of somebody's own pictures."""
    name = path.parent.resolve().name
    return Origin(
        dataset=f"the pictures of {name}/",
        split=split,
        label_source=f"its {path.name}",
        valence_arousal_source=f"its {path.name}",
        data=(DataSource(name=f"the pictures of {name}/", licence="not stated", use="weights"),),
    )


def _read(path: Path) -> list[tuple[int, Row]]:
    """Line numbers and rows."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            columns = set(reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise ConfigError(f"data set {path}: {error.strerror}; name a folder with it") from None
    if "file" not in columns:
        raise ConfigError(f"{path}: no column `file`; it names the picture of each row")
    if "emotion" not in columns and not columns >= set(EMOTIONS):
        raise ConfigError(f"{path}: no column `emotion`, nor one of votes for each of the eight")
    return rows


def _of_split(rows: list[tuple[int, Row]], split: str, path: Path) -> list[tuple[int, Row]]:
    if split == "all":
        return rows
    if rows and "split" not in rows[0][1]:
        low, high = SPLITS_BY_POSITION[split]
        positions = split_positions([row["file"] for _, row in rows])
        return [
            row for row, position in zip(rows, positions, strict=True) if low <= position < high
        ]
    for line, row in rows:
        if row["split"] not in SPLITS_BY_POSITION:
            raise ConfigError(
                f"{path}: line {line}: split {row['split']!r}: write one of {', '.join(SPLITS_BY_POSITION)}"
            )
    return [(line, row) for line, row in rows if row["split"] == split]


def _labels(row: Row, path: Path, line: int) -> tuple[list[float], int]:
    """Votes for each of the eight emotions, and the class that counts as right.

    `UNDECIDED`, with whatever votes there are, where the row has no label.
    """
    label = _label(row, "emotion", path, line)
    votes = [_number(row, emotion, path, line) or 0.0 for emotion in EMOTIONS]
    if "emotion" not in row:
        return votes, int(np.argmax(votes)) if sum(votes) > 0 else UNDECIDED
    if any(votes) or label == UNDECIDED:
        return votes, label
    return [float(label == number) for number in range(len(EMOTIONS))], label


def _label(row: Row, column: str, path: Path, line: int) -> int:
    """An emotion's number; `UNDECIDED` where the field is empty or there is no such column."""
    word = (row.get(column) or "").strip().lower()
    if word and word not in EMOTIONS:
        raise ConfigError(
            f"{path}: line {line}: {column} {word!r}: write one of {', '.join(EMOTIONS)}"
        )
    return EMOTIONS.index(Emotion(word)) if word else UNDECIDED


def _people(names: list[str], rows: list[tuple[int, Row]], path: Path) -> People | None:
    """What the annotators said; None where the file does not say."""
    if not names:
        return None
    labels = np.full((len(names), len(rows)), UNDECIDED, np.int64)
    plane = np.full((len(names), len(rows), 2), np.nan)
    for a, name in enumerate(names):
        for i, (line, row) in enumerate(rows):
            no_face = (row[f"{ANSWER}{name}"] or "").strip().lower() == NOT_A_FACE
            labels[a, i] = NO_FACE if no_face else _label(row, f"{ANSWER}{name}", path, line)
            for axis, what in enumerate(("valence", "arousal")):
                value = _number(row, f"{what}:{name}", path, line)
                plane[a, i, axis] = np.nan if value is None else value
    return People(tuple(names), labels, plane)


def _face(row: Row, path: Path, line: int) -> StoredFace:
    sides = [_number(row, column, path, line) for column in BOX]
    known = [side for side in sides if side is not None]
    box = Box(*known) if len(known) == len(BOX) else None
    return StoredFace(path.parent / row["file"], box, _number(row, "angle", path, line) or 0.0)


def _plane(rows: list[tuple[int, Row]], path: Path) -> NDArray[np.float32]:
    """Valence and arousal, ``[N, 2]``."""
    values = [
        [_number(row, axis, path, line) for axis in ("valence", "arousal")] for line, row in rows
    ]
    plane = np.array(values, np.float32).reshape(-1, 2)
    outside = np.flatnonzero((np.abs(plane) > 1).any(1))
    if outside.size:
        line = rows[outside[0]][0]
        raise ConfigError(f"{path}: line {line}: valence or arousal: must lie in [-1, 1]")
    return plane


def _number(row: Row, column: str, path: Path, line: int) -> float | None:
    """A field's value; None where it is empty or there is no such column."""
    text = (row.get(column) or "").strip()
    try:
        return float(text) if text else None
    except ValueError:
        raise ConfigError(f"{path}: line {line}: {column}: {text!r} is no number") from None
