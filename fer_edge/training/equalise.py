"""Make every channel use the whole range of its activation, before int8 takes it.

TFLite quantises activations with one scale for a whole tensor, so a channel that only reaches 0.3
where another reaches 6 is left with a dozen levels.  Scaling a channel up and what the next layer
makes of it down by the same factor changes nothing as long as ReLU6 does not cut it (Nagel et al.,
*Data-Free Quantization Through Weight Equalization and Bias Correction*, ICCV 2019).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer_edge.training.network import EMOTION, VALENCE_AROUSAL, convolutions, outputs

FULL = 5.5
"""What a channel's largest activation becomes; ReLU6 cuts at 6."""
MOST = 64.0
"""Largest factor; a channel that hardly ever says anything stays quiet."""


def equalise(model: Any, pictures: NDArray[np.float32]) -> None:
    """Rescale the channels of a deployable network, in place.

    ``pictures``: network inputs ``[N, h, w, c]``, on which the activations are measured.
    """
    names = [name for name, _ in convolutions()]
    peaks = [keras.ops.max(model.get_layer(f"{name}_relu").output, axis=(1, 2)) for name in names]
    all_peaks = keras.ops.concatenate(peaks, axis=-1)
    reached = outputs(keras.Model(model.input, all_peaks), pictures).max(0)
    start = 0
    for i, name in enumerate(names):
        normalisation = model.get_layer(f"{name}_bn")
        gamma, beta, mean, variance = (np.asarray(w) for w in normalisation.get_weights())
        peak = reached[start : start + gamma.size]
        start += gamma.size
        factor = np.where(peak < FULL, np.minimum(FULL / np.maximum(peak, 1e-6), MOST), 1.0)
        normalisation.set_weights([gamma * factor, beta * factor, mean, variance])
        for follower in names[i + 1 : i + 2] or (EMOTION, VALENCE_AROUSAL):
            _shrink_inputs(model.get_layer(follower), factor)


def _shrink_inputs(layer: Any, factor: NDArray[np.float32]) -> None:
    """Divide what ``layer`` makes of each input channel by ``factor``."""
    kernel, *rest = (np.asarray(w) for w in layer.get_weights())
    # Depthwise [3, 3, channels, 1], pointwise [1, 1, in, out] and dense [in, out] alike.
    layer.set_weights([kernel / factor[:, None], *rest])
