"""What the Keras network puts out; called in a process of its own, as TensorFlow has to be."""

import numpy as np

from fer_edge.training.export import keras_network
from fer_edge.training.network import HEADS, Weights


def keras_maps(weights: Weights, inputs: np.ndarray) -> list[np.ndarray]:
    """The maps of all convolutions, in order."""
    import keras

    model = keras_network(weights, size=inputs.shape[1])
    layers = [layer.output for layer in model.layers if layer.name.endswith("_relu")]
    return [np.asarray(maps) for maps in keras.Model(model.input, layers)(inputs, training=False)]


def keras_outputs(weights: Weights, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """What both heads put out."""
    said = keras_network(weights, size=inputs.shape[1])(inputs, training=False)
    return {name: np.asarray(said[name]) for name in HEADS}
