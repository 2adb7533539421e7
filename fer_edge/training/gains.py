"""Whether one model is better than another on faces that neither has learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.evaluation.bootstrap import DRAWS, Interval
from fer_edge.evaluation.datasets import Samples
from fer_edge.evaluation.runner import Predictions

Floats = NDArray[np.float64]

SMALLEST: Final = 1e-6
"""Probabilities below it count as it, in the log loss."""


@dataclass(frozen=True)
class Gain:
    """One figure before and after."""

    name: str
    before: float
    after: float
    gain: float
    """How much better: higher accuracy, lower loss or error."""
    interval: Interval
    """95 % bootstrap interval of ``gain``, over persons or files."""

    @property
    def sure(self) -> bool:
        """Whether the whole interval is a gain."""
        return self.interval[0] > 0

    @property
    def is_loss(self) -> bool:
        """Whether the whole interval is a loss."""
        return self.interval[1] < 0


def gains(
    samples: Samples, parts: NDArray[np.int64], before: Predictions, after: Predictions
) -> list[Gain]:
    """Accuracy, log loss, and the errors of valence and arousal where they are known.

    Args:
        samples: ``N`` faces.
        parts: ``[N]``, the person or file of each; drawn as a whole.
        before: predictions of the one model.
        after: of the other.
    """
    found = [
        _gain("accuracy", parts, (_right(samples, before), _right(samples, after)), _mean, 1),
        _gain("log loss", parts, (_costs(samples, before), _costs(samples, after)), _mean, -1),
    ]
    for axis, name in enumerate(("valence", "arousal")):
        truth = samples.valence_arousal[:, axis].astype(np.float64)
        known = ~np.isnan(truth)
        if known.any():
            errors = [(p.valence_arousal[:, axis] - truth)[known] ** 2 for p in (before, after)]
            both = (errors[0], errors[1])
            found.append(_gain(f"RMSE {name}", parts[known], both, _root, -1))
    return found


def _right(samples: Samples, said: Predictions) -> Floats:
    right: Floats = (said.probabilities.argmax(1) == samples.labels).astype(np.float64)
    return right


def _costs(samples: Samples, said: Predictions) -> Floats:
    chosen = said.probabilities[np.arange(len(samples)), samples.labels].astype(np.float64)
    costs: Floats = -np.log(np.maximum(chosen, SMALLEST))
    return costs


def _mean(values: Floats, weights: Floats) -> float:
    return float((values * weights).sum() / weights.sum())


def _root(values: Floats, weights: Floats) -> float:
    return float(np.sqrt(_mean(values, weights)))


def _gain(
    name: str,
    parts: NDArray[np.int64],
    values: tuple[Floats, Floats],
    figure: Callable[[Floats, Floats], float],
    sign: int,
) -> Gain:
    before, after = values
    _, position = np.unique(parts, return_inverse=True)
    count = int(position.max()) + 1
    rng = np.random.default_rng(0)
    moved = []
    for _ in range(DRAWS):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        weights = drawn[position].astype(np.float64)
        moved.append(sign * (figure(after, weights) - figure(before, weights)))
    low, high = np.percentile(moved, [2.5, 97.5])
    ones = np.ones(len(before))
    was, is_now = figure(before, ones), figure(after, ones)
    return Gain(name, was, is_now, sign * (is_now - was), (float(low), float(high)))
