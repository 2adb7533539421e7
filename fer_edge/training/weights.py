"""Weights in files: published ones, those of a run, those of a model that ships.

Whatever the file, what comes out is folded (see ``network``), so all of them can teach, or be a start
for another width.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.affect.tflite import import_interpreter
from fer_edge.errors import ConfigError
from fer_edge.training.network import EMOTION, HEADS, Weights, channels_of, fold
from fer_edge.training.options import run_of
from fer_edge.training.resnet import for_luma, is_resnet

BGR_MEAN: Final = np.array([103.939, 116.779, 123.68], np.float32)
"""What networks that come by way of Caffe subtract from blue, green and red."""

LAST: Final = "last.npz"
"""In a run's folder, the checkpoint to go on from."""
BEST: Final = "best.npz"
"""In a run's folder, the averaged weights of its best epoch."""


def load_weights(name: str, *, channels: int = 1) -> Weights:
    """Read folded weights (``.npz``), those of a run or a float32 ``.tflite`` file of ours.

    Of a run, its folder stands for the best epoch, ``last.npz`` in it for the averages of the last.
    The first kernel is made to fit the number of input ``channels``.

    Raises:
        ConfigError: none of them is there, or the file does not hold the network's weights.
    """
    path = Path(name)
    if run_of(path):
        weights = trained(path)
        weights = weights if is_resnet(weights) else fold(weights)
    elif path.suffix == ".tflite" and path.is_file():
        weights = _of_model(path)
    elif path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            weights = {
                key.replace("depthwise_kernel", "kernel"): stored[key].astype(np.float32)
                for key in stored.files
            }
        weights = weights if is_resnet(weights) else _own_scale(path, weights)
    else:
        raise ConfigError(
            f"{path}: no such weights; name an .npz or .tflite file or the folder of a run"
        )
    if is_resnet(weights):
        return for_luma(weights)
    return weights | {"conv1/kernel": _for_channels(weights["conv1/kernel"], channels)}


def trained(path: Path) -> Weights:
    """The averaged weights of a run, not folded: of its best epoch, or of its last if ``path`` is ``last.npz``.

    Raises:
        ConfigError: the run has not come as far.
    """
    file = path if path.name == LAST else path / BEST
    try:
        with np.load(file, allow_pickle=False) as stored:
            return group_of(stored, "average") if path.name == LAST else dict(stored)
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"{file}: {why}; train until an epoch is done") from None


def group_of(stored: Any, group: str) -> Weights:
    """The arrays of one group of a checkpoint, by name."""
    keys = [key for key in stored.files if key.startswith(f"{group}/")]
    return {key.removeprefix(f"{group}/"): stored[key] for key in keys}


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an ``.npz`` file that is never half written."""
    partial = path.with_suffix(".part.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]  # its **kwds are typed bool
    partial.rename(path)


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
    names = list(channels_of(1))
    if (
        len(convolved) != len(names)
        or len(connected) != len(HEADS)
        or any(kinds[half.get(i, i)] not in {np.float16, np.float32} for _, i, _ in convolved)
    ):
        raise ConfigError(f"{path}: no weights to go on from; name a float32 file of …convert")

    def value(index: int) -> Any:
        return interpreter.get_tensor(half.get(index, index)).astype(np.float32)

    weights: Weights = {}
    for name, (_, kernel, bias) in zip(names, convolved, strict=True):
        # Stored are [out, h, w, in] and, depthwise, [1, h, w, channels].
        weights[f"{name}/kernel"] = value(kernel).transpose(1, 2, 3, 0)
        weights[f"{name}/bias"] = value(bias)
    heads = {values: name for name, values in HEADS.items()}
    for _, kernel, bias in connected:
        rows = value(kernel)
        head = heads[len(rows)]
        weights[f"{head}/kernel"] = rows.T
        # A bias of zeros alone is left out by the converter.
        weights[f"{head}/bias"] = value(bias) if bias >= 0 else np.zeros(len(rows), np.float32)
    return weights


def _own_scale(path: Path, weights: Weights) -> Weights:
    """Published weights without our heads see BGR from 0 to 255 less its mean: here, [-1, 1].

    Luma is the same in all three channels, so the new kernels see it in each.
    """
    if "conv1/kernel" not in weights:
        raise ConfigError(f"{path}: no conv1/kernel in it; name folded weights of a MobileNetV1")
    kernel = weights["conv1/kernel"]
    if f"{EMOTION}/kernel" in weights or kernel.shape[2] != len(BGR_MEAN):
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
