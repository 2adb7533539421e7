"""Start a wide network from a narrow one: Net2WiderNet.

Chen, Goodfellow and Shlens, *Net2Net: Accelerating Learning via Knowledge Transfer*, ICLR 2016
(arXiv:1511.05641).  New channels are copies of old ones, and what the next layer makes of a channel
is shared among its copies, so the wide network says what the narrow one said.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_edge.training.network import HEADS, Weights, channels_of

NOISE = 0.02
"""Of the copies, relative to a kernel's spread: equal ones would learn the same for ever."""


def widened(weights: Weights, channels: dict[str, int], *, seed: int = 0) -> Weights:
    """Folded weights with at least as many channels, ``{layer: channels}``.

    Raises:
        ValueError: a layer would become narrower.
    """
    rng = np.random.default_rng(seed)
    wide: Weights = {}
    copied = np.arange(weights["conv1/kernel"].shape[2])
    shares = np.ones(len(copied), np.float32)
    for name in channels_of(1):
        kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]
        if name.startswith("conv_dw"):
            wide[f"{name}/kernel"], wide[f"{name}/bias"] = kernel[:, :, copied], bias[copied]
            continue
        kernel = kernel[:, :, copied] * shares[:, None]
        copied, shares = _copies(bias.size, channels[name], rng)
        kernel = kernel[..., copied]
        noise = rng.normal(0, NOISE * kernel.std(), kernel.shape).astype(np.float32)
        wide[f"{name}/kernel"] = kernel + np.where(shares < 1, noise, np.float32(0))
        wide[f"{name}/bias"] = bias[copied]
    for head in HEADS:
        if f"{head}/kernel" in weights:
            wide[f"{head}/kernel"] = weights[f"{head}/kernel"][copied] * shares[:, None]
            wide[f"{head}/bias"] = weights[f"{head}/bias"]
    return wide


def _copies(
    given: int, wanted: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Which old channel each new one copies, and the share of it that each then stands for."""
    if wanted < given:
        raise ValueError(f"cannot widen {given} channels to {wanted}")
    copied = np.concatenate([np.arange(given), rng.integers(0, given, wanted - given)])
    counts = np.bincount(copied, minlength=given)
    return copied, (1 / counts[copied]).astype(np.float32)
