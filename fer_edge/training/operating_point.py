"""Where a network stands between accuracy and equal sensitivity of the classes.

Logit adjustment after training (Menon et al., *Long-tail Learning via Logit Adjustment*, ICLR 2021,
arXiv:2007.07314): a share of the log of the classes' prior is taken from the logits, so that more of it
finds rare classes oftener and less of it is right oftener.  A class that is hardly ever found even so is
raised by itself, if that is not too dear.  Nothing is learnt by that; which point ships is chosen on
the validation split.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.evaluation import metrics
from fer_edge.training.network import EMOTION
from fer_edge.types import EMOTIONS

Bias = NDArray[np.float64]
"""What is added to the logits, ``[8]``."""

SHARES: Final = np.round(np.arange(-10, 11) * 0.05, 2)
COST: Final = 0.03
"""Score that a shift by the whole prior has to bring: a validation split has some twenty faces of the
rarest classes, and the best of forty points on them is chance."""
LEAST: Final = 0.30
"""Sensitivity that no class is to stay below: a class that is never said is no class."""
MISSING: Final = 1 / 3
"""Score that each missing part of ``LEAST`` costs, so a tenth for a class that is never found.  Not all
that it takes: one face of twenty more has cost fifty of other classes."""
STEP: Final = 0.1
STEPS: Final = 30


def choose(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], prior: NDArray[np.float64]
) -> tuple[Bias, float]:
    """The best bias and its score: accuracy + macro F1, less what shift and missing classes cost.

    Not normalised accuracy: it rises with every rare class that is said too often, and on some twenty
    pictures of a class it is mostly chance.  ``probabilities``: ``[N, 8]``; ``labels``: ``[N]``;
    ``prior``: the classes' shares, ``[8]``.
    """
    logits = np.log(np.maximum(probabilities, 1e-7)).astype(np.float64)
    # A class without pictures is moved by some finite number.
    log_prior = np.log(np.maximum(prior, 1e-6))
    tried = [
        (_score(logits + bias, labels) - COST * abs(share), bias)
        for share in SHARES
        for bias in (-share * log_prior, _raised(logits, labels, -share * log_prior))
    ]
    score, bias = max(tried, key=lambda point: point[0])
    return np.round(bias, 2), score


def move(model: Any, bias: Bias) -> None:
    """Add ``bias`` to the logits of ``model``, for good."""
    head = model.get_layer(EMOTION)
    kernel, before = head.get_weights()
    head.set_weights([kernel, before + bias])


def prior_of(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each class's share of the pictures, ``[8]``."""
    shares: NDArray[np.float64] = np.bincount(labels, minlength=len(EMOTIONS)) / len(labels)
    return shares


def _score(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Accuracy + macro F1, less what the class that is found least lacks."""
    table = metrics.confusion(labels, logits.argmax(1))
    missing = max(0.0, LEAST - float(np.nanmin(metrics.sensitivities(table))))
    return metrics.accuracy(table) + metrics.macro_f1(table) - MISSING * missing


def _raised(logits: NDArray[np.float64], labels: NDArray[np.int64], bias: Bias) -> Bias:
    """A bias by which the class that is found least is found more, step by step."""
    bias = bias.copy()
    for _ in range(STEPS):
        table = metrics.confusion(labels, (logits + bias).argmax(1))
        found = metrics.sensitivities(table)
        if np.nanmin(found) >= LEAST:
            break
        bias[int(np.nanargmin(found))] += STEP
    return bias
