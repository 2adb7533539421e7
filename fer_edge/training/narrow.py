"""Start a network from the weights of another width, or of its own.

A narrow one takes the strongest channels of a wide one.

Layer by layer, as channel pruning with reconstruction does it (He, Zhang and Sun,
*Channel Pruning for Accelerating Very Deep Neural Networks*, ICCV 2017): choose the channels
from which the rest can best be told, then fit each pointwise convolution by least squares so
that it puts out what the wide network puts out, given what the narrow one has so far.
"""

from __future__ import annotations

import logging
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer_edge.training.network import (
    BLOCKS,
    EMOTION,
    VALENCE_AROUSAL,
    Weights,
    convolutions,
    outputs,
    set_folded,
    set_statistics,
    teacher,
)
from fer_edge.training.widen import widened

log = logging.getLogger(__name__)

Matrix = NDArray[np.float64]


def strongest(activations: NDArray[np.float32], strength: NDArray[np.float32], keep: int) -> Any:
    """Return the indices of ``keep`` channels from which the others can best be told.

    ``activations``: ``[samples, channels]``; ``strength``: ``[channels]``, how much the next
    layer makes of each.  Pivoted Cholesky on the weighted covariance: take the channel with
    the most variance, remove what it explains of all others, and again.
    """
    if keep == activations.shape[1]:
        return np.arange(keep)
    scaled = (activations - activations.mean(0)).astype(np.float64) * strength
    residual = scaled.T @ scaled / len(scaled)
    chosen: list[int] = []
    for _ in range(keep):
        variance = np.diag(residual).copy()
        variance[chosen] = -1.0
        pivot = int(variance.argmax())
        chosen.append(pivot)
        column = residual[:, pivot].copy()
        residual -= np.outer(column, column) / max(column[pivot], 1e-12)
    return np.sort(np.array(chosen))


def least_squares(
    inputs: NDArray[np.float32], targets: NDArray[np.float32], ridge: float = 1e-4
) -> tuple[Matrix, Matrix]:
    """Return ``(kernel, bias)`` of the ridge regression from ``inputs`` to ``targets``."""
    mean_in, mean_out = inputs.mean(0, dtype=np.float64), targets.mean(0, dtype=np.float64)
    centred = inputs - mean_in
    gram = centred.T @ centred
    # The constant is for inputs that never change.
    gram += np.eye(len(gram)) * (ridge * np.trace(gram) / len(gram) + 1e-12)
    kernel = np.linalg.solve(gram, centred.T @ (targets - mean_out))
    return kernel, mean_out - mean_in @ kernel


def _outputs(model: Any, layer: str, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """What ``layer`` puts out for ``pictures``."""
    return outputs(keras.Model(model.input, model.get_layer(layer).output), pictures)


def _sampled(maps: NDArray[np.float32], per_picture: int = 32) -> NDArray[np.float32]:
    """``[N, h, w, c]`` to ``[N * k, c]`` at the same random places for the same shape."""
    flat = maps.reshape(len(maps), -1, maps.shape[-1])
    places = np.random.default_rng(0).permutation(flat.shape[1])[:per_picture]
    sampled: NDArray[np.float32] = flat[:, places].reshape(-1, maps.shape[-1])
    return sampled


def start_from(model: Any, weights: Weights, pictures: NDArray[np.float32]) -> None:
    """Set the weights of ``model`` from ``weights``, folded and of any width.

    ``pictures``: some hundred network inputs, ``[N, size, size, channels]``; the statistics
    of batch normalisation come from them too.  Weights without an emotion head leave it as it is.
    """
    channels = {
        name: model.get_layer(name).filters for name, key in convolutions() if key == "kernel"
    }
    if channels["conv1"] >= weights["conv1/bias"].size:
        _start_wide(model, widened(weights, channels), pictures)
        return
    wide = teacher(_with_head(weights), size=pictures.shape[1])
    kept = _start_first(model, wide, weights, pictures)
    for n in BLOCKS:
        dw, pw = f"conv_dw_{n}", f"conv_pw_{n}"
        depthwise = weights[f"{dw}/depthwise_kernel"][:, :, kept]
        _set_and_measure(model, dw, depthwise, weights[f"{dw}/bias"][kept], pictures)
        kept = _strongest_of(model, wide, weights, n, pictures)
        given = _sampled(_outputs(model, f"{dw}_relu", pictures))
        wanted = _sampled(_outputs(wide, f"{pw}_bn", pictures))[:, kept]
        kernel, bias = least_squares(given, wanted)
        _set_and_measure(model, pw, kernel[None, None], bias, pictures)
        error = ((given @ kernel + bias - wanted) ** 2).mean() / wanted.var(0).mean()
        log.info("%s: %d channels, %.0f %% of variance kept", pw, len(kept), 100 * (1 - error))
    _start_head(model, wide, weights, pictures)


def _start_wide(model: Any, weights: Weights, pictures: NDArray[np.float32]) -> None:
    """Set every layer to ``weights``, which are as wide as ``model``."""
    for name, key in convolutions():
        _set_and_measure(model, name, weights[f"{name}/{key}"], weights[f"{name}/bias"], pictures)
    mean, variance = _start_statistics(model, pictures)
    deviation = np.sqrt(variance + model.get_layer("top_bn").epsilon)
    for head in (EMOTION, VALENCE_AROUSAL):
        if f"{head}/kernel" in weights:
            kernel, bias = weights[f"{head}/kernel"], weights[f"{head}/bias"]
            model.get_layer(head).set_weights([kernel * deviation[:, None], bias + mean @ kernel])


def _with_head(weights: Weights) -> Weights:
    """The weights, with an emotion head to which every channel counts as much if there is none."""
    if f"{EMOTION}/kernel" in weights:
        return weights
    features = weights[f"conv_pw_{BLOCKS[-1]}/bias"].size
    head = {f"{EMOTION}/kernel": np.ones((features, 8), np.float32)}
    return weights | head | {f"{EMOTION}/bias": np.zeros(8, np.float32)}


def _start_first(model: Any, wide: Any, weights: Weights, pictures: NDArray[np.float32]) -> Any:
    """Set conv1; return the indices of the channels kept."""
    keep = model.get_layer("conv1").filters
    kernel, bias = weights["conv1/kernel"], weights["conv1/bias"]
    strength = np.linalg.norm(weights["conv_dw_1/depthwise_kernel"], axis=(0, 1)).ravel()
    kept = strongest(_sampled(_outputs(wide, "conv1_relu", pictures)), strength, keep)
    _set_and_measure(model, "conv1", kernel[..., kept], bias[kept], pictures)
    return kept


def _strongest_of(
    model: Any, wide: Any, weights: Weights, n: int, pictures: NDArray[np.float32]
) -> Any:
    """Channels of ``conv_pw_n`` to keep, by what the next convolution makes of them."""
    keep = model.get_layer(f"conv_pw_{n}").filters
    if n == BLOCKS[-1]:
        activations = _outputs(wide, "pool", pictures)
        following = _with_head(weights)[f"{EMOTION}/kernel"]
    else:
        activations = _sampled(_outputs(wide, f"conv_dw_{n + 1}_relu", pictures))
        following = weights[f"conv_pw_{n + 1}/kernel"][0, 0]
    return strongest(activations, np.linalg.norm(following, axis=1), keep)


def _set_and_measure(
    model: Any, name: str, kernel: NDArray[Any], bias: NDArray[Any], pictures: NDArray[np.float32]
) -> None:
    """Set a convolution and give its normalisation the statistics of real data."""
    set_folded(model, name, kernel, np.zeros_like(bias))
    outputs = _outputs(model, name, pictures)
    set_statistics(model, name, outputs.mean((0, 1, 2)), outputs.var((0, 1, 2)), bias)


def _start_statistics(model: Any, pictures: NDArray[np.float32]) -> tuple[Any, Any]:
    """Set the last normalisation to plain statistics; return them, mean and variance ``[C]``."""
    last = _outputs(model, f"conv_pw_{BLOCKS[-1]}_relu", pictures)
    mean, variance = last.mean((0, 1, 2)), last.var((0, 1, 2))
    ones, zeros = np.ones_like(mean), np.zeros_like(mean)
    model.get_layer("top_bn").set_weights([ones, zeros, mean, variance])
    return mean, variance


def _start_head(model: Any, wide: Any, weights: Weights, pictures: NDArray[np.float32]) -> None:
    """Set the last normalisation and fit the heads that ``weights`` have."""
    _start_statistics(model, pictures)
    wanted, given = _outputs(wide, "pool", pictures), _outputs(model, "pool", pictures)
    for head in (EMOTION, VALENCE_AROUSAL):
        if f"{head}/kernel" in weights:
            before = wanted @ weights[f"{head}/kernel"] + weights[f"{head}/bias"]
            model.get_layer(head).set_weights(list(least_squares(given, before, ridge=1e-2)))
