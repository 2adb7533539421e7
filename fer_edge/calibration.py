"""Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017)."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", np.float32, np.float64)

MIN_PROBABILITY = 1e-6
"""Probabilities below it are raised to it: a softmax in int8 can be exactly 0."""


def with_temperature(probabilities: NDArray[Real], temperature: float) -> NDArray[Real]:
    """The softmax of logits divided by `temperature`, from the softmax of the logits themselves.

    That is its power 1 / temperature, normalised over the last axis.

    Args:
        probabilities: [..., 8], each row sums to 1.
        temperature: Above 1 makes them more modest.
    """
    power = probabilities.dtype.type(1 / temperature)
    scaled = np.power(np.maximum(probabilities, probabilities.dtype.type(MIN_PROBABILITY)), power)
    normalised: NDArray[Real] = scaled / scaled.sum(-1, keepdims=True)
    return normalised
