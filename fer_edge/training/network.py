"""The network as PyTorch functions of tensors: MobileNetV1, average pooling, dropout, two heads.

As in M. Vadlejch, *Real-time Facial Expression Recognition in the Wild*, CTU Prague, 2021,
section 4.3, on MobileNetV1 (Howard et al. 2017, arXiv:1704.04861).

Weights are a dictionary of tensors by ``layer/variable``, with Keras' names, layouts and padding, so
that ``export`` takes them over as they are, and a whole training step can be recorded as a CUDA graph.
Maps are ``[N, h, w, C]``; where they are bfloat16, normalisation and heads still compute in float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import batch_norm, conv2d, dropout, pad

from fer_edge.training.kernels import DepthwiseByTwo, Moving, NormalisedReLU6

EMOTION: Final = "emotion"
VALENCE_AROUSAL: Final = "valence_arousal"
HEADS: Final = {EMOTION: 8, VALENCE_AROUSAL: 2}
"""The heads and how many values each puts out."""
BLOCKS: Final = range(1, 14)
"""Depthwise-separable blocks, as Keras numbers its layers."""
FILTERS: Final = (64, 128, 128, 256, 256, *(512,) * 6, 1024, 1024)
"""Channels that each block puts out at α = 1."""
BY_TWO: Final = (2, 4, 6, 12)
"""Blocks whose depthwise convolution goes in steps of two."""
EPSILON: Final = 1e-3
MOMENTUM: Final = 0.01
"""Of normalisation, as Keras' MobileNet has it: the share of the new statistics."""
MOVING: Final = ("moving_mean", "moving_variance")

Weights = dict[str, NDArray[np.float32]]
"""Arrays by ``layer/variable``; folded ones have ``layer/bias`` in place of a normalisation."""
State = dict[str, Any]
"""The same as tensors."""


def channels_of(alpha: float) -> dict[str, int]:
    """How many channels each convolution puts out, by its name."""
    channels = {"conv1": int(32 * alpha)}
    for n, filters in zip(BLOCKS, FILTERS, strict=True):
        channels[f"conv_dw_{n}"] = channels["conv1" if n == 1 else f"conv_pw_{n - 1}"]
        channels[f"conv_pw_{n}"] = int(filters * alpha)
    return channels


def width(weights: Mapping[str, NDArray[Any]]) -> float:
    """The α of weights.

    The widest layer has α times its channels, cut to a whole number: half a channel more makes up for
    that and changes no other layer's.
    """
    return float((weights[f"conv_pw_{BLOCKS[-1]}/kernel"].shape[-1] + 0.5) / FILTERS[-1])


def random_weights(alpha: float, channels: int, rng: np.random.Generator) -> Weights:
    """A network to start from: Glorot's uniform kernels (AISTATS 2010), normalisation that does nothing."""
    weights: Weights = {}
    given = channels
    for name, made in channels_of(alpha).items():
        side = 1 if name.startswith("conv_pw") else 3
        # A depthwise kernel is [3, 3, channels, 1].
        shape = (side, side, given, 1 if name.startswith("conv_dw") else made)
        weights[f"{name}/kernel"] = _glorot(shape, rng)
        weights |= _plain_normalisation(f"{name}_bn", made)
        given = made
    weights |= _plain_normalisation("top_bn", given)
    for name, values in HEADS.items():
        weights[f"{name}/kernel"] = _glorot((given, values), rng)
        weights[f"{name}/bias"] = np.zeros(values, np.float32)
    return weights


def _glorot(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    area = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (area * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def _plain_normalisation(name: str, channels: int) -> Weights:
    ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    values = {"gamma": ones, "beta": zeros, "moving_mean": zeros, "moving_variance": ones}
    return {f"{name}/{key}": value.copy() for key, value in values.items()}


def fold(weights: Mapping[str, NDArray[Any]]) -> Weights:
    """The same function with normalisation folded into kernels and biases.

    The last normalisation goes into the heads: it and average pooling are linear and act a channel at
    a time, so they may change places.
    """
    folded: Weights = {}
    for name in channels_of(width(weights)):
        scale, shift = _line(weights, f"{name}_bn")
        by_channel = scale[:, None] if name.startswith("conv_dw") else scale
        folded[f"{name}/kernel"] = weights[f"{name}/kernel"] * by_channel
        folded[f"{name}/bias"] = shift
    scale, shift = _line(weights, "top_bn")
    for name in HEADS:
        kernel = weights[f"{name}/kernel"]
        folded[f"{name}/kernel"] = kernel * scale[:, None]
        folded[f"{name}/bias"] = weights[f"{name}/bias"] + shift @ kernel
    return folded


def _line(weights: Mapping[str, NDArray[Any]], name: str) -> tuple[Any, Any]:
    """Slope and offset of a normalisation, a channel."""
    gamma, beta, mean, variance = (weights[f"{name}/{v}"] for v in ("gamma", "beta", *MOVING))
    scale = gamma / np.sqrt(variance + EPSILON)
    return scale, beta - mean * scale


def tensors(weights: Mapping[str, NDArray[Any]], device: Any = "cpu") -> State:
    """Weights as tensors of their own."""
    # Contiguous: a fused optimizer refuses weights that lie otherwise in memory than their gradients.
    made = {name: torch.tensor(array, device=device) for name, array in weights.items()}
    return {name: tensor.contiguous() for name, tensor in made.items()}


def arrays(state: State) -> Weights:
    """Tensors as float32 arrays."""
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in state.items()}


def convolve(name: str, maps: Any, kernel: Any, bias: Any = None) -> Any:
    """Convolution ``name``, padded as Keras pads it."""
    if name.startswith("conv_pw"):
        if bias is None:
            return maps @ kernel[0, 0]
        return torch.addmm(bias, maps.flatten(0, 2), kernel[0, 0]).view(*maps.shape[:3], -1)
    depthwise = name.startswith("conv_dw")
    # Keras' [3, 3, in, out] or, depthwise, [3, 3, channels, 1] as PyTorch has it.
    kernel = kernel.permute(2, 3, 0, 1) if depthwise else kernel.permute(3, 2, 0, 1)
    groups = len(kernel) if depthwise else 1
    maps = maps.movedim(-1, 1)
    kernel = kernel.contiguous(memory_format=torch.channels_last)
    if depthwise and int(name.rpartition("_")[2]) not in BY_TWO:
        return conv2d(maps, kernel, bias, padding=1, groups=groups).movedim(1, -1)
    if depthwise and bias is None and not maps.is_cuda:
        return DepthwiseByTwo.apply(maps, kernel).movedim(1, -1)
    # Below and to the right of an even side; a depthwise one leaves out an odd side's last pixel.
    first = [0 if depthwise else side % 2 for side in maps.shape[2:]]
    after = [1 - side % 2 if depthwise else 1 for side in maps.shape[2:]]
    maps = pad(maps, (first[1], after[1], first[0], after[0]))
    maps = maps.contiguous(memory_format=torch.channels_last)
    return conv2d(maps, kernel, bias, 2, groups=groups).movedim(1, -1)


def forward(
    state: State, pictures: Any, *, training: bool = False, rate: float = 0.0
) -> tuple[Any, Any]:
    """Logits ``[N, 8]`` and valence and arousal ``[N, 2]`` of ``pictures`` ``[N, size, size, C]``.

    In ``training`` normalisation is by the batch, whose statistics move the averages in ``state``, and
    dropout takes ``rate`` of the features.
    """
    maps = pictures
    for name in _convolutions(state):
        maps = convolve(name, maps, state[f"{name}/kernel"].to(maps.dtype))
        maps = _normalised(state, f"{name}_bn", maps, training=training)
    last = maps.float().movedim(-1, 1)
    mean, variance, gamma, beta = (state[f"top_bn/{v}"] for v in (*MOVING, "gamma", "beta"))
    last = batch_norm(last, mean, variance, gamma, beta, training, MOMENTUM, EPSILON)
    return _heads(state, dropout(last.mean((2, 3)), rate, training))


def forward_folded(state: State, pictures: Any) -> tuple[Any, Any]:
    """The same for folded weights, whose kernels may be bfloat16 as the pictures are."""
    *_, (_, _, maps) = steps(state, pictures)
    return _heads(state, maps.float().mean((1, 2)))


def steps(state: State, pictures: Any) -> Iterator[tuple[str, Any, Any]]:
    """Of folded weights: each convolution's name, its inputs, and its outputs after ReLU6."""
    maps = pictures
    for name in _convolutions(state):
        given = maps
        maps = convolve(name, given, state[f"{name}/kernel"], state[f"{name}/bias"]).clamp(0, 6)
        yield name, given, maps


def _convolutions(state: State) -> list[str]:
    return [name for name in channels_of(1) if f"{name}/kernel" in state]


def _heads(state: State, features: Any) -> tuple[Any, Any]:
    logits, plane = (features @ state[f"{h}/kernel"] + state[f"{h}/bias"] for h in HEADS)
    return logits, plane.tanh()


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
