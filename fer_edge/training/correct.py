"""Give every channel back the mean that it loses when int8 takes the kernels.

Rounding a kernel moves what it puts out, and by much the same for every picture; over 27 layers that
adds up to far more than the rounding of the activations.  What a channel puts out too much on average
is taken from its bias, layer by layer, each with what the rounded layers before it put out (Nagel et
al., *Data-Free Quantization Through Weight Equalization and Bias Correction*, ICCV 2019, section 4.2,
with pictures instead of the statistics of normalisation).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fer_edge.training.network import HEADS, Weights, convolve, steps, tensors
from fer_edge.training.rounding import covariance, rounded, rounded_together


@torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
def corrected(weights: Weights, pictures: NDArray[np.float32]) -> Weights:
    """Folded weights with kernels rounded as the converter rounds them, and biases mended for that.

    ``pictures``: network inputs ``[N, h, w, c]``, on which the means are taken.
    """
    made = dict(weights)
    state = tensors(weights)
    maps = torch.tensor(pictures)
    for name, given, put_out in steps(state, maps):  # noqa: B007  the last one is used below
        kernel = _rounded(name, weights[f"{name}/kernel"], maps.numpy())
        wanted = convolve(name, given, state[f"{name}/kernel"], state[f"{name}/bias"])
        sums = convolve(name, maps, torch.tensor(kernel), state[f"{name}/bias"])
        # Sums of a million values: single precision would lose what is looked for.
        missing = (wanted.double().mean((0, 1, 2)) - sums.double().mean((0, 1, 2))).float()
        made[f"{name}/kernel"] = kernel
        made[f"{name}/bias"] = weights[f"{name}/bias"] + missing.numpy()
        maps = (sums + missing).clamp(0, 6)
    lost = put_out.double().mean((0, 1, 2)) - maps.double().mean((0, 1, 2))
    for head in HEADS:
        moved = lost.numpy() @ weights[f"{head}/kernel"]
        made[f"{head}/bias"] = (weights[f"{head}/bias"] + moved).astype(np.float32)
    return made


def _rounded(
    name: str, kernel: NDArray[np.float32], maps: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The kernel of a convolution that is given ``maps`` at values that int8 has."""
    if name.startswith("conv_dw"):
        # Its channels stand before the last axis.
        return rounded(kernel[..., 0])[..., None]
    if name.startswith("conv_pw"):
        return rounded_together(kernel[0, 0], covariance(maps))[None, None]
    return rounded(kernel)
