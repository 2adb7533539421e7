"""The thesis' metrics, over arrays (M. Vadlejch, CTU Prague, 2021, section 4.1).

Labels are ``[N]`` integers, probabilities ``[N, 8]``, valence and arousal ``[N]`` or ``[N, 2]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_edge.modelcard import AxisFigures
from fer_edge.types import EMOTIONS

Labels = NDArray[np.int64]
Floats = NDArray[np.float32] | NDArray[np.float64]

CLASSES = len(EMOTIONS)
DRAWS = 200
"""Balanced draws behind a normalised figure."""
DRAW_SIZE = 500
"""Samples of each class in a draw; fewer where the rarest class has fewer."""
REGIONS = 71
"""Regions a side, over the square of valence and arousal."""
BINS = 15
"""Of the calibration error."""


def confusion(truth: Labels, predicted: Labels) -> NDArray[np.int64]:
    """``[8, 8]`` counts; rows are the truth, columns the prediction."""
    counts = np.bincount(truth * CLASSES + predicted, minlength=CLASSES * CLASSES)
    return counts.reshape(CLASSES, CLASSES).astype(np.int64)


def sensitivities(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """``[8]``: the share of each class that was found; NaN for a class without samples."""
    totals = table.sum(1)
    found = table.diagonal() / np.maximum(totals, 1)
    return np.where(totals > 0, found, np.nan)


def accuracy(table: NDArray[np.int64]) -> float:
    """Share of samples that are right."""
    return float(table.diagonal().sum() / table.sum())


def balanced_accuracy(table: NDArray[np.int64]) -> float:
    """Mean sensitivity: what the normalised accuracy tends to with many draws."""
    return float(np.nanmean(sensitivities(table)))


def macro_f1(table: NDArray[np.int64] | NDArray[np.float64]) -> float:
    """Mean over classes of the harmonic mean of precision and sensitivity.

    A class that neither occurs nor was predicted is left out.
    """
    both = table.sum(0) + table.sum(1)
    present = both > 0
    return float((2 * table.diagonal()[present] / both[present]).mean())


@dataclass(frozen=True)
class Normalised:
    """Means over balanced draws."""

    accuracy: float
    f1: float


def normalised(truth: Labels, predicted: Labels, *, seed: int = 0) -> Normalised:
    """Mean accuracy and macro F1 over draws with the same number of every class.

    Drawn without replacement, as many of each class as the rarest one has, at most 500.
    """
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(truth == label) for label in np.unique(truth)]
    size = min(DRAW_SIZE, *(len(members) for members in rows))
    tables = []
    for _ in range(DRAWS):
        drawn = np.concatenate([rng.choice(members, size, replace=False) for members in rows])
        tables.append(confusion(truth[drawn], predicted[drawn]))
    return Normalised(
        accuracy=float(np.mean([accuracy(table) for table in tables])),
        f1=float(np.mean([macro_f1(table) for table in tables])),
    )


def summary(table: NDArray[np.int64]) -> dict[str, float]:
    """Of a confusion matrix: accuracy, normalised accuracy (without draws), macro F1, least sensitivity."""
    found = sensitivities(table)
    return {
        "accuracy": accuracy(table),
        "normalised_accuracy": float(np.nanmean(found)),
        "macro_f1": macro_f1(table),
        "least_sensitivity": float(np.nanmin(found)),
    }


def row_shares(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """``[8, 8]``: what became of each class, as shares of it; rows of classes without samples are 0."""
    shares: NDArray[np.float64] = table / np.maximum(table.sum(1, keepdims=True), 1)
    return shares


@dataclass(frozen=True)
class ClassFigures:
    """One class of a confusion matrix; NaN where the class does not occur, or was never predicted."""

    samples: int
    """Pictures of it."""
    sensitivity: float
    """Share of its pictures that was found (TPR)."""
    miss_rate: float
    """Share of its pictures that was taken for something else (FNR)."""
    precision: float
    """Share that is right of those predicted to be it (PPV)."""
    false_discovery_rate: float
    """Share that is wrong of those predicted to be it (FDR)."""


def class_figures(table: NDArray[np.int64]) -> list[ClassFigures]:
    """The figures of each class, in the order of ``Emotion``."""
    found, precise = sensitivities(table), sensitivities(table.T)
    return [
        ClassFigures(int(n), float(tpr), float(1 - tpr), float(ppv), float(1 - ppv))
        for n, tpr, ppv in zip(table.sum(1), found, precise, strict=True)
    ]


def rmse(truth: Floats, predicted: Floats) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean((predicted - truth) ** 2)))


def sagr(truth: Floats, predicted: Floats) -> float:
    """Sign agreement: share of predictions whose sign is right."""
    return float(np.mean(np.sign(truth) == np.sign(predicted)))


def ccc(truth: Floats, predicted: Floats) -> float:
    """Lin's concordance correlation: 2 cov / (var + var + (difference of means)^2).

    Zero where all values are the same and nothing can be said to go together.
    """
    covariance = np.mean((truth - truth.mean()) * (predicted - predicted.mean()))
    spread = truth.var() + predicted.var() + (truth.mean() - predicted.mean()) ** 2
    return float(2 * covariance / spread) if spread else 0.0


def cells(plane: Floats, regions: int = REGIONS) -> NDArray[np.int64]:
    """The region of each point of the plane ``[N, 2]``: its column and row, ``[N, 2]``."""
    return np.clip(((plane + 1) / 2 * regions).astype(np.int64), 0, regions - 1)


def normalised_rmse(plane: Floats, truth: Floats, predicted: Floats) -> float:
    """Mean RMSE over the regions of the true plane ``[N, 2]`` that hold samples.

    ``truth`` and ``predicted`` are one axis, ``[N]``.
    """
    column, row = cells(plane).T
    _, region = np.unique(column * REGIONS + row, return_inverse=True)
    squares = np.bincount(region, (predicted - truth) ** 2) / np.bincount(region)
    return float(np.sqrt(squares).mean())


def axis_figures(plane: Floats, predicted_plane: Floats, axis: int) -> AxisFigures | None:
    """All figures of valence (axis 0) or arousal (axis 1); both arrays are ``[N, 2]``.

    Rows whose truth is unknown (NaN) are left out; None where there is no other.
    """
    known = ~np.isnan(plane).any(1)
    if not known.any():
        return None
    plane, predicted_plane = plane[known], predicted_plane[known]
    truth, predicted = plane[:, axis], predicted_plane[:, axis]
    return AxisFigures(
        rmse=rmse(truth, predicted),
        normalised_rmse=normalised_rmse(plane, truth, predicted),
        sagr=sagr(truth, predicted),
        ccc=ccc(truth, predicted),
    )


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often a prediction of this confidence is right; every array is ``[bins]``."""

    samples: NDArray[np.int64]
    confidence: NDArray[np.float64]
    """Mean of a bin; NaN where it is empty."""
    accuracy: NDArray[np.float64]
    """Share that is right of a bin; NaN where it is empty."""

    @property
    def error(self) -> float:
        """The expected calibration error: the mean gap, weighted by samples."""
        gaps = np.nan_to_num(np.abs(self.accuracy - self.confidence))
        return float((gaps * self.samples).sum() / self.samples.sum())


def reliability(truth: Labels, probabilities: Floats) -> Reliability:
    """The most probable class in bins of equal width (Guo et al. 2017)."""
    confidence = probabilities.max(1)
    right = (probabilities.argmax(1) == truth).astype(np.float64)
    cell = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    samples = np.bincount(cell, minlength=BINS)
    with np.errstate(invalid="ignore"):
        means = [
            np.bincount(cell, values, minlength=BINS) / samples for values in (confidence, right)
        ]
    return Reliability(samples, *means)


def calibration_error(truth: Labels, probabilities: Floats) -> float:
    """Expected calibration error of the most probable class (Guo et al. 2017)."""
    return reliability(truth, probabilities).error
