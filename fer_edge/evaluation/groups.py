"""Figures by group: whether a model reads all people alike.

Groups come from a CSV file with a column ``file``, as in the data set, and columns of one's own (age,
skin tone, glasses …).  Shares have Wilson intervals (*Probable Inference*, Journal of the American
Statistical Association 22, 1927), the gap between two groups Newcombe's (*Interval Estimation for the
Difference between Independent Proportions*, Statistics in Medicine 17, 1998, method 10), all other
figures those of the bootstrap.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError
from fer_edge.evaluation import metrics
from fer_edge.evaluation.bootstrap import Interval, intervals
from fer_edge.evaluation.measure import Evaluation

LEAST_FACES: Final = 30
"""A group of fewer is too small to say anything about."""
MOST_GROUPS: Final = 20
"""A column with more values than that holds a number or a name, not groups."""
Z: Final = 1.959964
"""Of a 95 % interval."""

Columns = dict[str, NDArray[np.str_]]
"""By column, the group of each face, ``[N]``; empty where nobody says."""


@dataclass(frozen=True)
class Group:
    """The figures of one group."""

    name: str
    faces: int
    right: int
    figures: dict[str, float]
    """``macro_f1``, where the group has faces of every class of the data set; ``valence.rmse``,
    ``valence.ccc`` and the same of arousal, where they are known."""
    intervals: dict[str, Interval]
    """95 % intervals of ``figures``."""

    @property
    def accuracy(self) -> float:
        """Share that is right."""
        return self.right / self.faces

    @property
    def accuracy_interval(self) -> Interval:
        """By Wilson."""
        return wilson(self.right, self.faces)

    @property
    def says_something(self) -> bool:
        """Whether there are enough faces."""
        return self.faces >= LEAST_FACES


@dataclass(frozen=True)
class Gap:
    """Between the groups with the highest and the lowest accuracy."""

    best: str
    worst: str
    accuracy: float
    """By how much that of the best is higher."""
    interval: Interval
    """95 %, for two groups that were named before; of the extreme ones among many it is too narrow."""


@dataclass(frozen=True)
class Column:
    """All groups of one column."""

    name: str
    groups: list[Group]
    ungrouped: int
    """Faces of which nobody says the group."""

    @property
    def gap(self) -> Gap | None:
        """None where fewer than two groups are large enough."""
        large = [group for group in self.groups if group.says_something]
        if len(large) < 2:
            return None
        best = max(large, key=lambda group: group.accuracy)
        worst = min(large, key=lambda group: group.accuracy)
        return Gap(best.name, worst.name, best.accuracy - worst.accuracy, newcombe(best, worst))


def wilson(right: int, faces: int) -> Interval:
    """The 95 % interval of a share."""
    share, z2 = right / faces, Z * Z
    centre = (share + z2 / (2 * faces)) / (1 + z2 / faces)
    half = Z * math.sqrt(share * (1 - share) / faces + z2 / (4 * faces**2)) / (1 + z2 / faces)
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(one: Group, other: Group) -> Interval:
    """The 95 % interval of the difference between the accuracies of two groups."""
    (low, high), (other_low, other_high) = one.accuracy_interval, other.accuracy_interval
    difference = one.accuracy - other.accuracy
    return (
        difference - math.hypot(one.accuracy - low, other_high - other.accuracy),
        difference + math.hypot(high - one.accuracy, other.accuracy - other_low),
    )


def read_groups(path: Path, names: NDArray[np.str_]) -> Columns:
    """The group of each face, by column; ``names`` ``[N]`` are the files of the data set.

    Raises:
        ConfigError: the file is missing, or a row or column cannot be used.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            columns = list(reader.fieldnames or ())
            _check_columns(path, columns)
            by_file: dict[str, dict[str, str]] = {}
            for row in reader:
                _add(path, reader.line_num, row, columns, by_file)
    except OSError as error:
        raise ConfigError(f"--groups {path}: {error.strerror}; name a CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"--groups {path}: {error}; save it as CSV in UTF-8") from None
    known = [by_file.get(name, {}) for name in names.tolist()]
    if not any(known):
        raise ConfigError(
            f"--groups {path}: column file: no file of the data set is named there, such as "
            f"{names[0]!r}; name files as the data set does"
        )
    found = {
        c: np.array([row.get(c, "") for row in known], np.str_) for c in columns if c != "file"
    }
    for name, groups in found.items():
        count = len(np.unique(groups[groups != ""]))
        if count > MOST_GROUPS:
            raise ConfigError(
                f"--groups {path}: column {name}: {count} different values; write at most "
                f"{MOST_GROUPS} groups, such as 20-29 for an age"
            )
    return found


def _check_columns(path: Path, columns: list[str]) -> None:
    if "file" not in columns:
        raise ConfigError(f"--groups {path}: line 1: no column `file`; it names the picture")
    if len(columns) < 2:
        raise ConfigError(f"--groups {path}: line 1: only `file`; add a column with groups")
    if "" in columns or len(set(columns)) < len(columns):
        raise ConfigError(
            f"--groups {path}: line 1: a column without a name, or twice the same; name each once"
        )


def _add(
    path: Path,
    line: int,
    row: dict[str, str],
    columns: list[str],
    by_file: dict[str, dict[str, str]],
) -> None:
    """Check a row and keep it."""
    # DictReader puts cells without a column under None, and None into cells that are not there.
    if None in row or None in row.values():
        raise ConfigError(
            f"--groups {path}: line {line}: not as many cells as columns; write {len(columns)}"
        )
    file = row["file"].strip()
    if not file:
        raise ConfigError(f"--groups {path}: line {line}: file: empty; name a picture")
    cells = {name: row[name].strip() for name in columns if name != "file"}
    before = by_file.setdefault(file, cells)
    for name, group in cells.items():
        if before[name] != group:
            raise ConfigError(
                f"--groups {path}: line {line}: {name}: {group!r}, but {before[name]!r} "
                f"in a line before for {file!r}; keep one"
            )


def by_group(evaluation: Evaluation, columns: Columns) -> list[Column]:
    """Figures of every group of every column, groups by name."""
    found = []
    for name, groups in columns.items():
        present = np.unique(groups[groups != ""]).tolist()
        figures = [_group(evaluation, group, groups == group) for group in present]
        found.append(Column(name, figures, int((groups == "").sum())))
    return found


def _group(evaluation: Evaluation, name: str, rows: NDArray[np.bool_]) -> Group:
    samples, predictions = evaluation.samples, evaluation.predictions
    truth, probabilities = samples.labels[rows], predictions.probabilities[rows]
    plane, predicted = samples.valence_arousal[rows], predictions.valence_arousal[rows]
    figures: dict[str, float] = {}
    if set(truth) == set(samples.labels):
        figures["macro_f1"] = metrics.macro_f1(metrics.confusion(truth, probabilities.argmax(1)))
    for axis, what in enumerate(("valence", "arousal")):
        told = metrics.axis_figures(plane, predicted, axis)
        if told:
            figures |= {f"{what}.rmse": told.rmse, f"{what}.ccc": told.ccc}
    bounds = intervals(truth, probabilities, plane, predicted)
    return Group(
        name,
        len(truth),
        int((probabilities.argmax(1) == truth).sum()),
        figures,
        {figure: bounds[figure] for figure in figures},
    )
