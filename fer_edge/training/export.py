"""Trained weights to a Keras network and to TFLite bytes; the only module with Keras and TensorFlow.

TensorFlow runs in a process of its own: with PyTorch's compiler (Triton) in the same process it ends in
a segmentation fault, since both bring an LLVM.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from fer_edge.modelcard import Precision
from fer_edge.training.network import (
    EMOTION,
    EPSILON,
    HEADS,
    VALENCE_AROUSAL,
    Weights,
    channels_of,
    width,
)

P = ParamSpec("P")
T = TypeVar("T")

IN_FLOAT: Final = ("MEAN", "FULLY_CONNECTED", "SOFTMAX", "TANH")
"""What an int8 file computes in float32: from the last map on.

That is less than a hundredth of the work, and int8 would round logits to twentieths and probabilities
to 1/256: for one validation face in a hundred two classes then were equally probable at α = 0.25, and the
first of them was told.
"""


def keras_network(weights: Weights, *, size: int) -> Any:
    """The network of folded weights in Keras, whose normalisation only adds the biases.

    Input: ``[N, size, size, channels]`` in [-1, 1].  Outputs, by name: ``emotion`` ``[N, 8]`` (softmax)
    and ``valence_arousal`` ``[N, 2]`` (tanh).
    """
    import keras

    channels = weights["conv1/kernel"].shape[2]
    inputs = keras.Input((size, size, channels), name="picture")
    backbone = keras.applications.MobileNet(
        input_tensor=inputs,
        input_shape=(size, size, channels),
        alpha=width(weights),
        include_top=False,
        weights=None,
    )
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    activations = {EMOTION: "softmax", VALENCE_AROUSAL: "tanh"}
    outputs = {
        name: keras.layers.Dense(values, activation=activations[name], name=name)(pooled)
        for name, values in HEADS.items()
    }
    model = keras.Model(inputs, outputs, name=f"mobilenet_v1_{width(weights):g}_{size}")
    for name in channels_of(1):
        kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]
        model.get_layer(name).set_weights([kernel])
        ones, zeros = np.ones_like(bias), np.zeros_like(bias)
        # A variance that cancels its epsilon.
        model.get_layer(f"{name}_bn").set_weights([ones, bias, zeros, ones * (1 - EPSILON)])
    for name in HEADS:
        model.get_layer(name).set_weights([weights[f"{name}/{v}"] for v in ("kernel", "bias")])
    return model


def to_tflite(
    weights: Weights, precision: Precision, pictures: NDArray[np.float32], *, half: bool = True
) -> bytes:
    """Convert; the signature's outputs are named as the network's, the batch may be resized.

    Args:
        weights: Folded ones.
        precision: ``float32``, or ``int8`` with float32 inputs, heads and outputs.
        pictures: representative network inputs ``[N, h, w, c]`` for the ranges of int8.
        half: store the weights of ``float32`` as float16; they are computed in float32.
    """
    return apart(_convert, weights, precision, pictures, half)


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a module's function in the process that TensorFlow has to itself."""
    return _process().submit(function, *args, **kwargs).result()


@cache
def _process() -> ProcessPoolExecutor:
    """One for all calls: TensorFlow takes ten seconds to import."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _convert(
    weights: Weights, precision: Precision, pictures: NDArray[np.float32], half: bool
) -> bytes:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "saved")
        model = keras_network(weights, size=pictures.shape[1])
        model.export(path, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(path)
        if precision == "int8":
            return _int8(converter, pictures)
        if half:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def _int8(converter: Any, pictures: NDArray[np.float32]) -> bytes:
    """Convert to int8 all but what is ``IN_FLOAT``: the converter alone has no option for that."""
    import tensorflow as tf

    examples = _one_by_one(pictures)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = examples
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=list(IN_FLOAT))
    with warnings.catch_warnings():
        # It would open its own model with an interpreter that it says is deprecated.
        warnings.simplefilter("ignore", UserWarning)
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=examples, debug_options=options
        )
        return bytes(debugger.get_nondebug_quantized_model())


def _one_by_one(pictures: NDArray[np.float32]) -> Callable[[], Iterator[list[Any]]]:
    """A representative data set as the converter wants it."""

    def pictures_of_one() -> Iterator[list[Any]]:
        for picture in pictures:
            yield [picture[np.newaxis]]

    return pictures_of_one
