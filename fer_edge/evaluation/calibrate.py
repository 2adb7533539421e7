"""Fitting the temperature of a model's probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_edge.calibration import with_temperature

CANDIDATES = np.round(np.arange(0.4, 3.001, 0.02), 2)


def scaled(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """``[N, 8]`` with another temperature."""
    return with_temperature(probabilities.astype(np.float64), temperature)


def fit_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature with the least negative log-likelihood of ``labels`` ``[N]``."""
    rows = np.arange(len(labels))
    costs = [-np.log(scaled(probabilities, t)[rows, labels]).mean() for t in CANDIDATES]
    return float(CANDIDATES[int(np.argmin(costs))])
