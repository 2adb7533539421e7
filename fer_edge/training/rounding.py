"""Which values of int8 a kernel gets: the nearest, or those whose errors make up for one another.

Rounding every weight to the nearest value is best for each weight, not for their sum.  Where the inputs
go together, the error of one weight can be taken back by those after it (Frantar et al., *GPTQ: Accurate
Post-Training Quantization for Generative Pre-trained Transformers*, ICLR 2023, arXiv:2210.17323; with the
inputs' covariance in place of their second moments, since a mean error is the bias' to mend).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = 127
"""The largest magnitude of an int8 weight; every output channel has its own step."""

DAMPING = 0.01
"""Added to the variance of every input, as a share of their mean: what was not seen may still vary."""


def step_of(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """The steps ``[…, channels]`` of a kernel's output channels, as the converter derives them."""
    largest = np.abs(kernel).max(tuple(range(kernel.ndim - 1)), keepdims=True)
    return (np.where(largest, largest, 1) / LEVELS).astype(np.float32)


def rounded(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """A kernel ``[…, channels]`` at the nearest of the values that int8 has for it."""
    step = step_of(kernel)
    nearest: NDArray[np.float32] = (np.round(kernel / step) * step).astype(np.float32)
    return nearest


def covariance(inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of a layer's inputs ``[…, channels]``: ``[channels, channels]``."""
    flat = inputs.reshape(-1, inputs.shape[-1])
    centred = flat - flat.mean(0, dtype=np.float64).astype(np.float32)
    made: NDArray[np.float64] = (centred.T @ centred).astype(np.float64) / len(flat)
    return made


def rounded_together(
    kernel: NDArray[np.float32], varying: NDArray[np.float64]
) -> NDArray[np.float32]:
    """A kernel ``[in, out]`` at values of int8 with which its outputs vary as they should.

    ``varying``: the inputs' covariance ``[in, in]``.  The largest weight of every output stays, so the
    steps, and with them what the converter makes of the kernel, are those of ``rounded``.
    """
    step = step_of(kernel)[0].astype(np.float64)
    largest = np.abs(kernel).argmax(0)
    # Inputs that vary most come first: their errors have the most others to make up for them.
    order = np.argsort(-varying.diagonal())
    damped = varying[np.ix_(order, order)] + np.eye(len(order)) * _damping(varying)
    # Row i of the upper factor of the inverse: how the inputs after i make up for an error of i.
    factor = np.linalg.cholesky(np.linalg.inv(damped)).T
    left = kernel[order].astype(np.float64)
    levels = np.zeros_like(left)
    for i, row in enumerate(order):
        levels[i] = np.clip(np.round(left[i] / step), -LEVELS, LEVELS)
        stays = largest == row
        levels[i, stays] = np.round(kernel[row, stays] / step[stays])
        error = (left[i] - levels[i] * step) / factor[i, i]
        left[i + 1 :] -= np.outer(factor[i, i + 1 :], error)
    made = np.empty_like(kernel)
    made[order] = levels * step
    return made


def _damping(varying: NDArray[np.float64]) -> float:
    """What is added to every variance; more than nothing even where no input varies."""
    return float(DAMPING * varying.diagonal().mean() + 1e-12)
