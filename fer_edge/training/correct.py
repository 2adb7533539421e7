"""Give every channel back the mean that it loses when int8 takes the kernels.

Rounding a kernel moves what it puts out, and by much the same for every picture; over 27 layers that
adds up to far more than the rounding of the activations.  What a channel puts out too much on average
is taken from its bias, layer by layer, each with what the rounded layers before it put out (Nagel et
al., *Data-Free Quantization Through Weight Equalization and Bias Correction*, ICCV 2019, section 4.2,
with pictures instead of the statistics of normalisation).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer_edge.training.network import EMOTION, VALENCE_AROUSAL, convolutions, outputs
from fer_edge.training.rounding import covariance, rounded, rounded_together


def correct(model: Any, pictures: NDArray[np.float32]) -> None:
    """Round the kernels of a deployable network as the converter does and mend its biases, in place.

    ``pictures``: network inputs ``[N, h, w, c]``, on which the means are taken.
    """
    names = [name for name, _ in convolutions()]
    sums = [model.get_layer(f"{name}_bn").output for name in names]
    last = model.get_layer(f"{names[-1]}_relu").output
    pools = [keras.ops.mean(maps, axis=(1, 2)) for maps in (*sums, last)]
    by_picture = outputs(keras.Model(model.input, keras.ops.concatenate(pools, axis=-1)), pictures)
    means = by_picture.mean(0, dtype=np.float64)
    *wanted, reached = np.split(means, np.cumsum([maps.shape[-1] for maps in sums]))
    source, maps = model.input, pictures
    for name, summed, mean in zip(names, sums, wanted, strict=True):
        _round(model.get_layer(name), maps)
        # Only from the layer before: what came to it has not changed since.
        put_out = outputs(keras.Model(source, summed), maps)
        # Sums of a million values: single precision would lose what is looked for.
        missing = mean - put_out.mean((0, 1, 2), dtype=np.float64)
        _raise(model.get_layer(f"{name}_bn"), missing)
        maps = np.clip(put_out + missing.astype(np.float32), 0, 6)
        source = model.get_layer(f"{name}_relu").output
    pooled = maps.mean((0, 1, 2), dtype=np.float64)
    for name in (EMOTION, VALENCE_AROUSAL):
        head = model.get_layer(name)
        kernel, bias = (np.asarray(w) for w in head.get_weights())
        head.set_weights([kernel, bias + (reached - pooled) @ kernel])


def _round(layer: Any, maps: NDArray[np.float32]) -> None:
    """Round the kernel of a convolution that is given ``maps``."""
    (kernel,) = (np.asarray(w) for w in layer.get_weights())
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        # Its channels stand before the last axis.
        made = rounded(kernel[..., 0])[..., None]
    elif kernel.shape[:2] == (1, 1):
        made = rounded_together(kernel[0, 0], covariance(maps))[None, None]
    else:
        made = rounded(kernel)
    layer.set_weights([made])


def _raise(normalisation: Any, missing: NDArray[np.float64]) -> None:
    """Add to what a normalisation puts out, a channel."""
    gamma, beta, mean, variance = (np.asarray(w) for w in normalisation.get_weights())
    normalisation.set_weights([gamma, beta + missing, mean, variance])
