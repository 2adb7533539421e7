"""Trained networks as folded weights: batch normalisation is part of kernels and biases.

So a file of published weights and a run of one's own are the same thing: a teacher, or a start for
another width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.errors import ConfigError
from fer_edge.training.network import (
    EMOTION,
    VALENCE_AROUSAL,
    Weights,
    build,
    convolutions,
)
from fer_edge.training.options import load_config

BGR_MEAN = np.array([103.939, 116.779, 123.68], np.float32)
"""What networks that come by way of Caffe subtract from blue, green and red."""


def load_weights(name: str, *, channels: int = 1) -> Weights:
    """Read folded weights (``.npz``, float16) or the folder of a run, for so many input channels.

    Raises:
        ConfigError: neither is there.
    """
    path = Path(name)
    if path.is_dir():
        config = load_config(path)
        model = build(config.alpha, size=config.size, channels=config.channels)
        model.load_weights(path / "best.weights.h5")
        weights = fold(model)
    elif path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            weights = {key: stored[key].astype(np.float32) for key in stored.files}
        weights = _own_scale(weights)
    else:
        raise ConfigError(f"{path}: no such weights; name an .npz file or the folder of a run")
    return weights | {"conv1/kernel": _for_channels(weights["conv1/kernel"], channels)}


def fold(model: Any) -> Weights:
    """The folded weights of a trained network, with the kernels and biases of both heads."""
    weights: Weights = {}
    for name, key in convolutions():
        (kernel,) = model.get_layer(name).get_weights()
        scale, shift = _line(model.get_layer(f"{name}_bn"))
        # A depthwise kernel is [3, 3, channels, 1], the others [h, w, in, out].
        by_channel = scale[:, None] if key == "depthwise_kernel" else scale
        weights[f"{name}/{key}"] = kernel * by_channel
        weights[f"{name}/bias"] = shift
    scale, shift = _line(model.get_layer("top_bn"))
    for name in (EMOTION, VALENCE_AROUSAL):
        kernel, bias = model.get_layer(name).get_weights()
        weights[f"{name}/kernel"] = kernel * scale[:, None]
        weights[f"{name}/bias"] = bias + shift @ kernel
    return weights


def _line(normalisation: Any) -> tuple[Any, Any]:
    """Slope and offset of a batch normalisation, a channel."""
    gamma, beta, mean, variance = (np.asarray(w) for w in normalisation.get_weights())
    scale = gamma / np.sqrt(variance + normalisation.epsilon)
    return scale, beta - mean * scale


def _own_scale(weights: Weights) -> Weights:
    """Published weights without our heads see BGR from 0 to 255 less its mean: here, [-1, 1].

    Luma is the same in all three channels, so the new kernels see it in each.
    """
    kernel = weights["conv1/kernel"]
    if f"{EMOTION}/kernel" in weights or kernel.shape[2] != 3:
        return weights
    # Padding is 0, which was the mean and is now mid grey: all but the same.
    offset = np.einsum("hwio,i->o", kernel, 127.5 - BGR_MEAN)
    bias = (weights["conv1/bias"] + offset).astype(np.float32)
    return weights | {"conv1/kernel": kernel * np.float32(127.5), "conv1/bias": bias}


def _for_channels(kernel: Any, channels: int) -> Any:
    """A first kernel for luma in one channel, or the same luma in three."""
    given = kernel.shape[2]
    if given == channels:
        return kernel
    if channels == 1:
        return kernel.sum(2, keepdims=True)
    return np.repeat(kernel, channels, axis=2) / channels
