"""How far figures would move with other pictures of the same kind.

Percentile bootstrap (Efron, *Bootstrap Methods: Another Look at the Jackknife*, Annals of
Statistics 7, 1979): the pictures are drawn again, with replacement, 1,000 times.
"""

from __future__ import annotations

import numpy as np

from fer_edge.evaluation import metrics
from fer_edge.evaluation.metrics import Floats, Labels
from fer_edge.types import EMOTIONS

DRAWS = 1000

Interval = tuple[float, float]
"""Lower and upper end of the range that holds 95 % of the draws."""


def intervals(
    truth: Labels, probabilities: Floats, plane: Floats, predicted: Floats, *, seed: int = 0
) -> dict[str, Interval]:
    """95 % intervals of every figure, by name: ``macro_f1``, ``valence.ccc``, ``sensitivity.fear``.

    Args:
        truth: ``[N]``.
        probabilities: ``[N, 8]``.
        plane: true valence and arousal ``[N, 2]``; NaN where unknown.
        predicted: predicted ones, ``[N, 2]``.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(DRAWS):
        rows = rng.integers(0, len(truth), len(truth))
        figures = _class_figures(truth[rows], probabilities[rows])
        draws.append(figures | _axis_figures(plane[rows], predicted[rows]))
    # A class that is rare may be in no draw at all, or not in every one.
    names = dict.fromkeys(name for figures in draws for name in figures)
    bounds = {}
    for name in names:
        values = [figures[name] for figures in draws if name in figures]
        low, high = np.percentile(values, [2.5, 97.5])
        bounds[name] = (float(low), float(high))
    return bounds


def _class_figures(truth: Labels, probabilities: Floats) -> dict[str, float]:
    """The figures of one draw that come from the classes.

    Those that are means over balanced draws are replaced by what such means tend to: the same
    figure of the confusion matrix with rows of equal weight.
    """
    table = metrics.confusion(truth, probabilities.argmax(1))
    figures = {
        "accuracy": metrics.accuracy(table),
        "normalised_accuracy": metrics.balanced_accuracy(table),
        "macro_f1": metrics.macro_f1(table),
        "normalised_f1": metrics.macro_f1(metrics.row_shares(table)),
        "calibration_error": metrics.calibration_error(truth, probabilities),
    }
    found = zip(EMOTIONS, metrics.sensitivities(table), strict=True)
    return figures | {f"sensitivity.{name}": float(v) for name, v in found if not np.isnan(v)}


def _axis_figures(plane: Floats, predicted: Floats) -> dict[str, float]:
    """The figures of one draw that come from valence and arousal."""
    named: dict[str, float] = {}
    for axis, name in enumerate(("valence", "arousal")):
        figures = metrics.axis_figures(plane, predicted, axis)
        if figures:
            named |= {f"{name}.{figure}": value for figure, value in figures}
    return named
