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
    shift = (tau * np.log(prior)).astype(np.float32)

    def loss(truth: Any, probabilities: Any) -> Any:
        scores = ops.log(ops.clip(probabilities, 1e-7, 1.0)) + shift
        return -ops.sum(truth * ops.log_softmax(scores, axis=-1), axis=-1)

    return loss


def known_squares(truth: Any, predicted: Any) -> Any:
    """Mean squared error of valence and arousal; an unknown (NaN) value counts nothing."""
    known = ops.logical_not(ops.isnan(truth))
    error = ops.where(known, predicted - ops.where(known, truth, 0.0), 0.0)
    return ops.mean(ops.square(error), axis=-1)
