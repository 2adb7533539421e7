"""Losses of valence and arousal, and what makes up for rare classes in that of the emotions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def logit_shift(prior: NDArray[np.float32], tau: float) -> NDArray[np.float32]:
    """What is added to the logits ``[8]`` in training only, after Menon et al.

    (*Long-tail Learning via Logit Adjustment*, ICLR 2021, arXiv:2007.07314.)  ``tau`` times the log of
    the classes' ``prior`` ``[8]``: without it the network then leans towards rare classes.  0 is plain
    cross-entropy, 1 aims at equal sensitivity.
    """
    # A class that no picture has would make every loss infinite.
    return (tau * np.log(np.maximum(prior, 1e-6))).astype(np.float32)


def plane_loss(kind: str, truth: Any, predicted: Any) -> Any:
    """The loss ``[N]`` of valence and arousal ``[N, 2]``; an unknown (NaN) value counts nothing.

    ``mse`` and ``mae``: mean squared and absolute error; ``l2``: the distance on the plane;
    ``cross-entropy``: of (v + 1) / 2, as if it were a probability.
    """
    known = ~truth.isnan()
    truth = truth.nan_to_num()
    match kind:
        case "cross-entropy":
            right, told = (truth + 1) / 2, ((predicted + 1) / 2).clamp(1e-6, 1 - 1e-6)
            error = -right * told.log() - (1 - right) * (1 - told).log()
        case "mae":
            error = (predicted - truth).abs()
        case _:
            error = (predicted - truth).square()
    error = torch.where(known, error, 0.0)
    if kind == "l2":
        # The gradient of a root at zero is infinite.
        return (error.sum(1) + 1e-8).sqrt()
    return error.mean(1)
