"""Make every channel use the whole range of its activation, before int8 takes it.

TFLite quantises activations with one scale for a whole tensor, so a channel that only reaches 0.3
where another reaches 6 is left with a dozen levels.  Scaling a channel up and what the next layer
makes of it down by the same factor changes nothing as long as ReLU6 does not cut it (Nagel et al.,
*Data-Free Quantization Through Weight Equalization and Bias Correction*, ICCV 2019).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fer_edge.training.network import HEADS, Weights, channels_of, steps, tensors

FULL = 5.5
"""What a channel's largest activation becomes; ReLU6 cuts at 6."""
MOST = 64.0
"""Largest factor; a channel that hardly reacts to anything stays weak."""


@torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
def equalised(weights: Weights, pictures: NDArray[np.float32]) -> Weights:
    """Folded weights with rescaled channels.

    ``pictures``: network inputs ``[N, h, w, c]``, on which the activations are measured.
    """
    made = dict(weights)
    names = list(channels_of(1))
    maps = steps(tensors(weights), torch.tensor(pictures))
    for i, (name, _, put_out) in enumerate(maps):
        peak = put_out.amax((0, 1, 2)).numpy()
        factor = np.where(peak < FULL, np.minimum(FULL / np.maximum(peak, 1e-6), MOST), 1.0)
        # A depthwise kernel is [3, 3, channels, 1], the others [h, w, in, out].
        by_channel = factor[:, None] if name.startswith("conv_dw") else factor
        made[f"{name}/kernel"] = (made[f"{name}/kernel"] * by_channel).astype(np.float32)
        made[f"{name}/bias"] = (made[f"{name}/bias"] * factor).astype(np.float32)
        for follower in names[i + 1 : i + 2] or HEADS:
            # Depthwise [3, 3, channels, 1], pointwise [1, 1, in, out] and heads [in, out] alike.
            kernel = made[f"{follower}/kernel"] / factor[:, None]
            made[f"{follower}/kernel"] = kernel.astype(np.float32)
    return made
