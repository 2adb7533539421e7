"""Trained networks as folded weights: batch normalisation is part of kernels and biases.

So a file of published weights and a run of one's own are the same thing: a teacher, or a start for
another width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.affect.tflite import import_interpreter
from fer_edge.errors import ConfigError
from fer_edge.training.average import averages
from fer_edge.training.network import (
    EMOTION,
    VALENCE_AROUSAL,
    Weights,
    build,
    convolutions,
)
from fer_edge.training.options import load_config, run_of
from fer_edge.types import EMOTIONS

BGR_MEAN = np.array([103.939, 116.779, 123.68], np.float32)
"""What networks that come by way of Caffe subtract from blue, green and red."""

HEADS = {len(EMOTIONS): EMOTION, 2: VALENCE_AROUSAL}
"""The heads of a model by what each puts out."""


def load_weights(name: str, *, channels: int = 1) -> Weights:
    """Read folded weights (``.npz``), those of a run or a float32 ``.tflite`` file of ours.

    Of a run, its folder stands for the best epoch, ``last.npz`` in it for the averages of the last.
    The first kernel is made to fit so many input ``channels``.

    Raises:
        ConfigError: none of them is there, or the file does not hold the network's weights.
    """
    path = Path(name)
    if run := run_of(path):
        config = load_config(run)
        model = build(config.alpha, size=config.size, channels=config.channels)
        if path == run:
            model.load_weights(run / "best.weights.h5")
        else:
            model.set_weights(averages(path))
        weights = fold(model)
    elif path.suffix == ".tflite" and path.is_file():
        weights = _of_model(path)
    elif path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            weights = {key: stored[key].astype(np.float32) for key in stored.files}
        weights = _own_scale(weights)
    else:
        raise ConfigError(
            f"{path}: no such weights; name an .npz or .tflite file or the folder of a run"
        )
    return weights | {"conv1/kernel": _for_channels(weights["conv1/kernel"], channels)}


def _of_model(path: Path) -> Weights:
    """The weights of a model that ``…convert`` wrote; its steps are in the order of the layers."""
    try:
        interpreter = import_interpreter()(model_content=path.read_bytes())
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise ConfigError(f"{path}: the interpreter refuses it: {reason}") from None
    # Not by the tensors' names: equal ones, such as biases of nothing but zeros, are stored once.
    steps = interpreter._get_ops_details()  # noqa: SLF001  there is no public way to them
    half = {s["outputs"][0]: s["inputs"][0] for s in steps if s["op_name"] == "DEQUANTIZE"}
    convolved = [s["inputs"] for s in steps if s["op_name"] in {"CONV_2D", "DEPTHWISE_CONV_2D"}]
    connected = [s["inputs"] for s in steps if s["op_name"] == "FULLY_CONNECTED"]
    kinds = {t["index"]: t["dtype"] for t in interpreter.get_tensor_details()}
    if (
        len(convolved) != len(convolutions())
        or len(connected) != len(HEADS)
        or any(kinds[half.get(i, i)] not in {np.float16, np.float32} for _, i, _ in convolved)
    ):
        raise ConfigError(f"{path}: no weights to go on from; name a float32 file of …convert")

    def value(index: int) -> Any:
        return interpreter.get_tensor(half.get(index, index)).astype(np.float32)

    weights: Weights = {}
    for (name, key), (_, kernel, bias) in zip(convolutions(), convolved, strict=True):
        # Stored are [out, h, w, in] and, depthwise, [1, h, w, channels].
        weights[f"{name}/{key}"] = value(kernel).transpose(1, 2, 3, 0)
        weights[f"{name}/bias"] = value(bias)
    for _, kernel, bias in connected:
        rows = value(kernel)
        head = HEADS[len(rows)]
        weights[f"{head}/kernel"] = rows.T
        # A bias of zeros alone is left out by the converter.
        weights[f"{head}/bias"] = value(bias) if bias >= 0 else np.zeros(len(rows), np.float32)
    return weights


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
