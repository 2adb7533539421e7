"""Trained network to TFLite bytes; the only module that imports TensorFlow by name."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from fer_edge.modelcard import Precision
from fer_edge.training.network import EMOTION, VALENCE_AROUSAL

IN_FLOAT: Final = ("MEAN", "FULLY_CONNECTED", "SOFTMAX", "TANH")
"""What an int8 file computes in float32: from the last map on.

That is less than a hundredth of the work, and int8 would round logits to twentieths and probabilities
to 1/256: for one validation face in a hundred two classes then were equally probable at α = 0.25, and the
first of them was told.
"""


def deployable(model: Any) -> Any:
    """The same function with the last normalisation folded into the two heads.

    Average pooling and normalisation are linear and act a channel at a time, so they may change
    places; what is left is one layer less to run and to quantise.
    """
    normalisation = model.get_layer("top_bn")
    gamma, beta, mean, variance = (np.asarray(w) for w in normalisation.get_weights())
    scale = gamma / np.sqrt(variance + normalisation.epsilon)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(normalisation.input)
    outputs = {}
    for name in (EMOTION, VALENCE_AROUSAL):
        kernel, bias = (np.asarray(w) for w in model.get_layer(name).get_weights())
        head = keras.layers.Dense(bias.size, activation=model.get_layer(name).activation, name=name)
        outputs[name] = head(pooled)
        head.set_weights([kernel * scale[:, None], bias + (beta - mean * scale) @ kernel])
    return keras.Model(model.input, outputs, name=model.name)


def to_tflite(
    model: Any, precision: Precision, pictures: NDArray[np.float32], *, half: bool = True
) -> bytes:
    """Convert; the signature's outputs are named as the network's, the batch may be resized.

    Args:
        model: Keras network on the TensorFlow backend.
        precision: ``float32``, or ``int8`` with float32 inputs, heads and outputs.
        pictures: representative network inputs ``[N, h, w, c]`` for the ranges of int8.
        half: store the weights of ``float32`` as float16; they are computed in float32.
    """
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "saved")
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
