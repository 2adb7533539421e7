"""What several people said of the same faces: how far they agree, and what they decide together.

The rules are the thesis' (section 4.2): the emotion that more than half say, and the median of valence
and arousal.  Arrays have a row for each annotator (A) and a column for each face (N).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from fer_edge.evaluation import metrics
from fer_edge.evaluation.metrics import Floats, Labels
from fer_edge.types import EMOTIONS

UNDECIDED: Final = -1
"""No answer, or none that more than half give."""
NO_FACE: Final = len(EMOTIONS)
"""A vote that it is not a face."""
NOT_A_FACE: Final = "not a face"
"""The same as a word."""
WORDS: Final = (*map(str, EMOTIONS), NOT_A_FACE)
"""What can be voted for, by number."""

THESIS: Final = {
    "accuracy": 0.603,
    "valence.rmse": 0.455,
    "valence.sagr": 0.768,
    "valence.ccc": 0.630,
    "arousal.rmse": 0.528,
    "arousal.sagr": 0.680,
    "arousal.ccc": 0.449,
}
"""Table 4.3: 160 faces, means over the pairs of five annotators."""


@dataclass(frozen=True, eq=False)
class People:
    """The answers of all annotators."""

    names: tuple[str, ...]
    labels: Labels
    """``[A, N]``: an emotion's number, `NO_FACE`, or `UNDECIDED` without an answer."""
    plane: NDArray[np.float64]
    """``[A, N, 2]`` valence and arousal; NaN without an answer."""
    intensity: NDArray[np.float64] | None = None
    """``[A, N]``, 1 to 5; NaN without an answer."""

    def __getitem__(self, faces: NDArray[Any] | slice) -> Self:
        intensity = None if self.intensity is None else self.intensity[:, faces]
        return replace(
            self, labels=self.labels[:, faces], plane=self.plane[:, faces], intensity=intensity
        )


def consensus(labels: Labels, plane: Floats) -> tuple[Labels, NDArray[np.float64]]:
    """What ``[A, N]`` labels and ``[A, N, 2]`` values decide: ``[N]`` and ``[N, 2]``.

    An emotion needs more than half of the votes, else the face is `UNDECIDED`; valence and arousal are
    medians, NaN where nobody gave them.
    """
    counts = np.stack([(labels == label).sum(0) for label in range(NO_FACE + 1)])
    most = counts.argmax(0)
    decided = 2 * counts.max(0) > counts.sum(0)
    medians = np.full(plane.shape[1:], np.nan)
    known = ~np.isnan(plane).all(0)
    medians[known] = np.nanmedian(np.moveaxis(plane, 0, -1)[known], axis=-1)
    return np.where(decided, most, UNDECIDED), medians


def figures(truth: Labels, plane: Floats, said: Labels, said_plane: Floats) -> dict[str, float]:
    """The figures of Table 4.3 of one opinion against another, over the faces that both judged."""
    found: dict[str, float] = {}
    both = np.asarray(_emotions(truth) & _emotions(said), np.bool_)
    if both.any():
        found["accuracy"] = metrics.accuracy(metrics.confusion(truth[both], said[both]))
    placed = np.asarray(~np.isnan(plane).any(1) & ~np.isnan(said_plane).any(1), np.bool_)
    if placed.any():
        for axis, name in enumerate(("valence", "arousal")):
            pair = plane[placed, axis], said_plane[placed, axis]
            found[f"{name}.rmse"] = metrics.rmse(*pair)
            found[f"{name}.sagr"] = metrics.sagr(*pair)
            found[f"{name}.ccc"] = metrics.ccc(*pair)
    return found


def _emotions(labels: Labels) -> NDArray[np.bool_]:
    return (labels >= 0) & (labels < NO_FACE)


def pairs(people: People) -> dict[str, float]:
    """Means of the figures over all pairs of annotators; empty with fewer than two."""
    return mean_of(
        [
            figures(people.labels[a], people.plane[a], people.labels[b], people.plane[b])
            for a, b in combinations(range(len(people.names)), 2)
        ]
    )


def mean_of(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each figure over those that have it."""
    return {
        name: float(np.mean([one[name] for one in found if name in one]))
        for name in THESIS
        if any(name in one for one in found)
    }


def left_out(people: People) -> Iterator[tuple[str, Labels, Floats, Labels, Floats]]:
    """Each annotator's name, answers, and the consensus of the others on the faces he judged."""
    for row, name in enumerate(people.names):
        others = np.arange(len(people.names)) != row
        labels, plane = consensus(people.labels[others], people.plane[others])
        labels = np.where(_emotions(people.labels[row]), labels, UNDECIDED)
        plane = np.where(np.isnan(people.plane[row]), np.nan, plane)
        yield name, people.labels[row], people.plane[row], labels, plane


@dataclass(frozen=True)
class Beside:
    """One annotator and the model, both against the consensus of the other annotators."""

    name: str
    person: dict[str, float]
    model: dict[str, float]


def beside(people: People, predicted: Labels, predicted_plane: Floats) -> list[Beside]:
    """The model beside each person, on the same faces; nobody is compared with his own vote."""
    return [
        Beside(
            name,
            figures(labels, plane, said, said_plane),
            figures(labels, plane, predicted, predicted_plane),
        )
        for name, said, said_plane, labels, plane in left_out(people)
        if _emotions(labels).any() or not np.isnan(plane).all()
    ]


def beside_rows(found: Sequence[Beside]) -> list[tuple[str, ...]]:
    """A row for each figure: the mean of single annotators, the model, and which of them is nearer."""
    person = mean_of([one.person for one in found])
    model = mean_of([one.model for one in found])
    rows: list[tuple[str, ...]] = []
    for name in THESIS:
        if name in person and name in model:
            ahead = model[name] - person[name]
            ahead = -ahead if name.endswith("rmse") else ahead
            nearer = "the model" if ahead > 0 else "a person" if ahead < 0 else "alike"
            rows.append(
                (name.replace(".", " "), f"{person[name]:.3f}", f"{model[name]:.3f}", nearer)
            )
    return rows
