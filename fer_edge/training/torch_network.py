"""The network as PyTorch functions of tensors, for training loops of our own on a graphics card.

Keras builds, starts, saves and converts; in between its weights are a dictionary of tensors, so that a
whole training step can be recorded once as a CUDA graph and played back without Python.  Maps are
``[N, h, w, C]``; where they are bfloat16, normalisation and heads still count in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import batch_norm, conv2d, dropout, interpolate, pad

from fer_edge.training.network import EMOTION, VALENCE_AROUSAL, Weights, convolutions
from fer_edge.training.torch_kernels import Moving, NormalisedReLU6

State = dict[str, Any]
"""Tensors by ``layer/variable``, in the order of the network's weights."""

MOVING = ("moving_mean", "moving_variance")
EPSILON = 1e-3
MOMENTUM = 0.01
"""Of normalisation, as Keras' MobileNet has it: the share of the new statistics."""


def state_of(model: Any, device: Any) -> State:
    """A copy of the weights of a Keras network from ``network.build``."""
    names = [f"{layer.name}/{v.name}" for layer in model.layers for v in layer.weights]
    arrays = model.get_weights()
    return {n: torch.tensor(a, device=device) for n, a in zip(names, arrays, strict=True)}


def arrays_of(state: State) -> list[NDArray[np.float32]]:
    """What ``set_weights`` of that network takes."""
    return [tensor.detach().cpu().numpy() for tensor in state.values()]


def convolve(name: str, maps: Any, kernel: Any, bias: Any = None) -> Any:
    """One convolution of ``network.convolutions``, padded as Keras pads it."""
    if name.startswith("conv_pw"):
        if bias is None:
            return maps @ kernel[0, 0]
        return torch.addmm(bias, maps.flatten(0, 2), kernel[0, 0]).view(*maps.shape[:3], -1)
    depthwise = name.startswith("conv_dw")
    # Keras' [3, 3, in, out] or, depthwise, [3, 3, channels, 1] as PyTorch has it.
    kernel = kernel.permute(2, 3, 0, 1) if depthwise else kernel.permute(3, 2, 0, 1)
    groups = len(kernel) if depthwise else 1
    maps = maps.movedim(-1, 1)
    if depthwise and int(name.rpartition("_")[2]) not in BY_TWO:
        around, stride = 1, 1
    else:
        # Below and to the right of an even side; a depthwise one leaves out an odd side's last pixel.
        first = [0 if depthwise else side % 2 for side in maps.shape[2:]]
        after = [1 - side % 2 if depthwise else 1 for side in maps.shape[2:]]
        maps = pad(maps, (first[1], after[1], first[0], after[0]))
        around, stride = 0, 2
    kernel = kernel.contiguous(memory_format=torch.channels_last)
    maps = maps.contiguous(memory_format=torch.channels_last)
    return conv2d(maps, kernel, bias, stride, around, groups=groups).movedim(1, -1)


BY_TWO = (2, 4, 6, 12)
"""Blocks whose depthwise convolution goes by two."""


def forward(
    state: State, pictures: Any, *, training: bool = False, rate: float = 0.0
) -> tuple[Any, Any]:
    """Logits ``[N, 8]`` and valence and arousal ``[N, 2]`` of ``pictures`` ``[N, size, size, C]``.

    In ``training`` normalisation is by the batch, whose statistics move the averages in ``state``, and
    dropout takes ``rate`` of the features.
    """
    maps = pictures
    for name, key in convolutions():
        maps = convolve(name, maps, state[f"{name}/{_variable(key)}"].to(maps.dtype))
        maps = _normalised(state, f"{name}_bn", maps, training=training)
    last = maps.float().movedim(-1, 1)
    mean, variance, gamma, beta = (state[f"top_bn/{v}"] for v in (*MOVING, "gamma", "beta"))
    last = batch_norm(last, mean, variance, gamma, beta, training, MOMENTUM, EPSILON)
    features = dropout(last.mean((2, 3)), rate, training)
    logits, plane = (
        features @ state[f"{head}/kernel"] + state[f"{head}/bias"]
        for head in (EMOTION, VALENCE_AROUSAL)
    )
    return logits, plane.tanh()


def _variable(key: str) -> str:
    """Keras' name of a kernel."""
    return "kernel" if key == "depthwise_kernel" else key


def _normalised(state: State, name: str, maps: Any, *, training: bool) -> Any:
    """Batch normalisation and ReLU6."""
    gamma, beta, mean, variance = (state[f"{name}/{v}"] for v in ("gamma", "beta", *MOVING))
    maps = maps.movedim(-1, 1)
    if training:
        moving = Moving(mean, variance, MOMENTUM, EPSILON)
        maps = NormalisedReLU6.apply(maps, gamma, beta, moving)
    else:
        maps = batch_norm(maps, mean, variance, gamma, beta, False, 0.0, EPSILON).clamp_(0, 6)
    return maps.movedim(1, -1)


class Teacher:
    """A trained network that is only asked; its normalisation is part of its kernels."""

    def __init__(self, weights: Weights, *, size: int, device: Any, kind: Any) -> None:
        self.size = size
        self._weights = {
            name: torch.tensor(array, device=device, dtype=kind if "conv" in name else None)
            for name, array in weights.items()
        }

    def logits(self, pictures: Any) -> Any:
        """``[N, 8]`` for ``pictures`` ``[N, side, side, C]`` of any side, which are brought to its own."""
        maps = pictures
        if maps.shape[1] != self.size:
            size = (self.size, self.size)
            maps = interpolate(maps.movedim(-1, 1), size, mode="bilinear").movedim(1, -1)
            maps = maps.contiguous()
        weights = self._weights
        for name, key in convolutions():
            maps = convolve(name, maps, weights[f"{name}/{key}"], weights[f"{name}/bias"])
            maps = maps.clamp_(0, 6)
        features = maps.float().mean((1, 2))
        return features @ weights[f"{EMOTION}/kernel"] + weights[f"{EMOTION}/bias"]
