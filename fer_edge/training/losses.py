"""Losses for the two heads; written on ``keras.ops``, so the same on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

Loss = Callable[[Any, Any], Any]


def adjusted_cross_entropy(prior: NDArray[np.float32], tau: float) -> Loss:
    """Cross-entropy with soft labels after the logit adjustment of Menon et al. 2021.

    (*Long-tail Learning via Logit Adjustment*, ICLR 2021, arXiv:2007.07314.)  ``tau`` times
    the log of the classes' ``prior`` ``[8]`` is added to the logits in training only, so that
    without it the network leans towards rare classes; 0 is plain cross-entropy, 1 aims at
    equal sensitivity.
    """
    # A class that no picture has would make every loss infinite.
    shift = (tau * np.log(np.maximum(prior, 1e-6))).astype(np.float32)

    def loss(truth: Any, probabilities: Any) -> Any:
        # As a tensor: PyTorch does not add an array to what it derives.
        scores = ops.log(ops.clip(probabilities, 1e-7, 1.0)) + ops.convert_to_tensor(shift)
        return -ops.sum(truth * ops.log_softmax(scores, axis=-1), axis=-1)

    return loss


def plane_loss(kind: str) -> Loss:
    """The loss of valence and arousal; an unknown (NaN) value counts nothing.

    ``mse`` and ``mae``: mean squared and absolute error; ``l2``: the distance on the plane;
    ``cross-entropy``: of (v + 1) / 2, as if it were a probability.
    """
    each = {
        "mse": ops.square,
        "mae": ops.abs,
        "l2": ops.square,
    }

    def loss(truth: Any, predicted: Any) -> Any:
        known = ops.logical_not(ops.isnan(truth))
        truth = ops.where(known, truth, 0.0)
        if kind == "cross-entropy":
            right, said = (truth + 1) / 2, ops.clip((predicted + 1) / 2, 1e-6, 1 - 1e-6)
            error = -right * ops.log(said) - (1 - right) * ops.log(1 - said)
        else:
            error = each[kind](predicted - truth)
        error = ops.where(known, error, 0.0)
        if kind == "l2":
            # The gradient of a root at zero is infinite.
            return ops.sqrt(ops.sum(error, axis=-1) + 1e-8)
        return ops.mean(error, axis=-1)

    return loss
