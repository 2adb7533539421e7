"""The network: MobileNetV1, batch normalisation, average pooling, dropout, two heads.

As in M. Vadlejch, *Real-time Facial Expression Recognition in the Wild*, CTU Prague, 2021,
section 4.3, on MobileNetV1 (Howard et al. 2017, arXiv:1704.04861).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

EMOTION = "emotion"
VALENCE_AROUSAL = "valence_arousal"
BLOCKS = range(1, 14)
"""Depthwise-separable blocks of MobileNetV1, as Keras numbers its layers."""

Weights = dict[str, NDArray[np.float32]]
"""A weight file with batch normalisation folded in: ``conv1/kernel``, ``conv1/bias`` …"""


def build(
    alpha: float,
    *,
    size: int | None = 112,
    channels: int = 1,
    classes: int = 8,
    dropout: float = 0.5,
) -> Any:
    """Return the two-headed network with random weights; ``size`` None takes pictures of any.

    Input: ``[N, size, size, channels]`` in [-1, 1].  Outputs, by name: ``emotion``
    ``[N, classes]`` (softmax) and ``valence_arousal`` ``[N, 2]`` (tanh).
    """
    inputs = keras.Input((size, size, channels), name="picture")
    backbone = keras.applications.MobileNet(
        input_tensor=inputs,
        input_shape=(size, size, channels),
        alpha=alpha,
        include_top=False,
        weights=None,
    )
    x = keras.layers.BatchNormalization(name="top_bn")(backbone.output)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    outputs = {
        EMOTION: keras.layers.Dense(classes, activation="softmax", name=EMOTION)(x),
        VALENCE_AROUSAL: keras.layers.Dense(2, activation="tanh", name=VALENCE_AROUSAL)(x),
    }
    return keras.Model(inputs, outputs, name=f"mobilenet_v1_{alpha:g}_{size or 'any'}")


def outputs(part: Any, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a part of a network with one output makes of its ``inputs`` ``[N, …]``, some at a time."""
    # Called, not `predict`ed: that would compile each of many parts for one use.
    chunks = np.array_split(inputs, -(-len(inputs) // 64))
    return np.concatenate(
        [keras.ops.convert_to_numpy(part(chunk, training=False)) for chunk in chunks]
    )


def set_folded(model: Any, name: str, kernel: NDArray[Any], bias: NDArray[Any]) -> None:
    """Give convolution ``name`` a kernel and, through its normalisation, a bias.

    The normalisation becomes an identity plus ``bias``: gamma 1, mean 0 and a variance that
    cancels its epsilon.
    """
    model.get_layer(name).set_weights([kernel])
    normalisation = model.get_layer(f"{name}_bn")
    ones = np.ones_like(bias)
    normalisation.set_weights([ones, bias, np.zeros_like(bias), ones * (1 - normalisation.epsilon)])


def set_statistics(
    model: Any, name: str, mean: NDArray[Any], variance: NDArray[Any], bias: NDArray[Any]
) -> None:
    """Make the normalisation of ``name`` trainable without changing what it puts out.

    ``mean`` and ``variance`` are those of the convolution's output over data.  With them as
    moving statistics, gamma = sqrt(variance + epsilon) and beta = mean + bias is the same
    map as the identity plus ``bias``.
    """
    normalisation = model.get_layer(f"{name}_bn")
    gamma = np.sqrt(variance + normalisation.epsilon)
    normalisation.set_weights([gamma, mean + bias, mean, variance])


def teacher(weights: Weights, *, size: int = 112) -> Any:
    """Return a network from folded weights; it puts out eight logits, ``[N, 8]``."""
    channels = weights["conv1/kernel"].shape[2]
    inputs = keras.Input((size, size, channels), name="picture")
    backbone = keras.applications.MobileNet(
        input_tensor=inputs,
        input_shape=(size, size, channels),
        alpha=width(weights),
        include_top=False,
        weights=None,
    )
    x = keras.layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    head = keras.layers.Dense(weights["emotion/bias"].size, name=EMOTION)
    model = keras.Model(inputs, head(x), name="teacher")
    for name, kernel in convolutions():
        set_folded(model, name, weights[f"{name}/{kernel}"], weights[f"{name}/bias"])
    head.set_weights([weights["emotion/kernel"], weights["emotion/bias"]])
    return model


def width(weights: Weights) -> float:
    """The α of folded weights.

    Keras cuts α times a layer's channels to a whole number; half a channel of the widest layer more
    makes up for that and moves no other.
    """
    return float((weights[f"conv_pw_{BLOCKS[-1]}/bias"].size + 0.5) / 1024)


def convolutions() -> list[tuple[str, str]]:
    """Return ``(layer, kernel key)`` of every convolution, in order."""
    layers = [("conv1", "kernel")]
    for n in BLOCKS:
        layers += [(f"conv_dw_{n}", "depthwise_kernel"), (f"conv_pw_{n}", "kernel")]
    return layers
