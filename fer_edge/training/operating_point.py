"""Where a network stands between accuracy and equal sensitivity of the classes.

Logit adjustment after training (Menon et al., *Long-tail Learning via Logit Adjustment*, ICLR 2021,
arXiv:2007.07314): ``shift`` times the log of the classes' prior is taken from the logits, so that more
of it finds rare classes oftener and less of it is right oftener.  Between two shifts nothing is learnt
and nothing lost; which one ships is chosen on the validation split.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.evaluation import metrics
from fer_edge.training.network import EMOTION

SHIFTS: Final = np.round(np.arange(-10, 11) * 0.05, 2)


def choose(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], prior: NDArray[np.float64]
) -> tuple[float, float]:
    """The best shift and its score: accuracy + normalised accuracy + macro F1.

    ``probabilities``: ``[N, 8]``; ``labels``: ``[N]``; ``prior``: the classes' shares, ``[8]``.
    """
    logits = np.log(np.maximum(probabilities, 1e-7))

    def score(shift: float) -> float:
        table = metrics.confusion(labels, (logits - shift * _log(prior)).argmax(1))
        found = float(np.nanmean(metrics.sensitivities(table)))
        return metrics.accuracy(table) + found + metrics.macro_f1(table)

    best = max(SHIFTS.tolist(), key=score)
    return best, score(best)


def move(model: Any, shift: float, prior: NDArray[np.float64]) -> None:
    """Shift what ``model`` says, for good."""
    head = model.get_layer(EMOTION)
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias - shift * _log(prior)])


def prior_of(labels: NDArray[np.int64], classes: int = 8) -> NDArray[np.float64]:
    """Each class's share of the pictures, ``[classes]``."""
    counts: NDArray[np.float64] = np.bincount(labels, minlength=classes) / len(labels)
    return counts


def _log(prior: NDArray[np.float64]) -> NDArray[np.float64]:
    # A class that no picture has is left where it is by any finite number; not by minus infinity.
    logs: NDArray[np.float64] = np.log(np.maximum(prior, 1e-6))
    return logs
