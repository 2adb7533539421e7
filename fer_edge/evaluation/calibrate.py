"""Temperature scaling (Guo et al., *On Calibration of Modern Neural Networks*, ICML 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CANDIDATES = np.round(np.arange(0.4, 3.001, 0.02), 2)


def scaled(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """``[N, 8]`` to the power 1 / temperature, normalised: the softmax of divided logits."""
    flattened = np.maximum(probabilities.astype(np.float64), 1e-6) ** (1 / temperature)
    rows: NDArray[np.float64] = flattened / flattened.sum(1, keepdims=True)
    return rows


def fit_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature with the least negative log-likelihood of ``labels`` ``[N]``."""
    rows = np.arange(len(labels))
    costs = [-np.log(scaled(probabilities, t)[rows, labels]).mean() for t in CANDIDATES]
    return float(CANDIDATES[int(np.argmin(costs))])
