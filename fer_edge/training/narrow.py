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

import numpy as np
import torch
from numpy.typing import NDArray

from fer_edge.training.network import (
    BLOCKS,
    EMOTION,
    EPSILON,
    HEADS,
    Weights,
    channels_of,
    convolve,
    steps,
    tensors,
    width,
)
from fer_edge.training.widen import widened

log = logging.getLogger(__name__)

Matrix = NDArray[np.float64]


def strongest(
    activations: NDArray[np.float32], strength: NDArray[np.float32], keep: int
) -> NDArray[np.int64]:
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


def _sampled(maps: Any, per_picture: int = 32) -> NDArray[np.float32]:
    """``[N, h, w, c]`` to ``[N * k, c]`` at the same random places for the same shape."""
    flat = maps.flatten(1, 2).numpy()
    places = np.random.default_rng(0).permutation(flat.shape[1])[:per_picture]
    sampled: NDArray[np.float32] = flat[:, places].reshape(-1, maps.shape[-1])
    return sampled


@torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
def start_from(plain: Weights, weights: Weights, pictures: NDArray[np.float32]) -> Weights:
    """Weights to start from, not folded, of the width of ``plain``.

    ``plain``: random weights; the heads that ``weights`` lack are taken from there.
    ``weights``: folded, of any width.
    ``pictures``: some hundred network inputs, ``[N, size, size, channels]``; the statistics of batch
    normalisation come from them.
    """
    channels = channels_of(width(plain))
    if channels["conv1"] >= weights["conv1/bias"].size:
        return plain | _unfolded(widened(weights, channels), pictures)
    return plain | _unfolded(_narrowed(channels, weights, pictures), pictures)


def _narrowed(channels: dict[str, int], weights: Weights, pictures: NDArray[np.float32]) -> Weights:
    """Folded weights with fewer channels."""
    narrow: Weights = {}
    wide = _Layers(weights, pictures)
    maps = torch.tensor(pictures)
    conv1 = wide.next()
    strength = np.linalg.norm(weights["conv_dw_1/kernel"], axis=(0, 1)).ravel()
    kept = strongest(_sampled(conv1), strength, channels["conv1"])
    maps = _set(
        narrow, "conv1", weights["conv1/kernel"][..., kept], weights["conv1/bias"][kept], maps
    )
    for n in BLOCKS:
        dw, pw = f"conv_dw_{n}", f"conv_pw_{n}"
        wide.next()
        maps = _set(
            narrow, dw, weights[f"{dw}/kernel"][:, :, kept], weights[f"{dw}/bias"][kept], maps
        )
        put_out = wide.next()
        kept = _strongest_of(weights, n, put_out, wide.following(), channels[pw])
        given = _sampled(maps)
        # Before ReLU6, which the fit is to leave to the network.
        wanted = _sampled(wide.sums)[:, kept]
        kernel, bias = least_squares(given, wanted)
        error = ((given @ kernel + bias - wanted) ** 2).mean() / wanted.var(0).mean()
        log.info("%s: %d channels, %.0f %% of variance kept", pw, len(kept), 100 * (1 - error))
        maps = _set(narrow, pw, kernel[None, None], bias, maps)
    features, wanted = (m.mean((1, 2)).numpy() for m in (maps, put_out))
    for head in HEADS:
        if f"{head}/kernel" in weights:
            before = wanted @ weights[f"{head}/kernel"] + weights[f"{head}/bias"]
            kernel, bias = least_squares(features, before, ridge=1e-2)
            narrow |= {f"{head}/kernel": _single(kernel), f"{head}/bias": _single(bias)}
    return narrow


class _Layers:
    """The wide network, layer by layer."""

    def __init__(self, weights: Weights, pictures: NDArray[np.float32]) -> None:
        self._state = tensors(weights)
        self._names = list(channels_of(1))
        self._done = 0
        self._maps = torch.tensor(pictures)
        self.sums = self._maps

    def next(self) -> Any:
        """Go on by a convolution: what it puts out after ReLU6; ``sums`` is that before it."""
        self.sums = self._sums(self._done)
        self._done += 1
        self._maps = self.sums.clamp(0, 6)
        return self._maps

    def following(self) -> Any:
        """What the next convolution makes of it, after ReLU6; None after the last."""
        return self._sums(self._done).clamp(0, 6) if self._done < len(self._names) else None

    def _sums(self, number: int) -> Any:
        name = self._names[number]
        kernel, bias = (self._state[f"{name}/{v}"] for v in ("kernel", "bias"))
        return convolve(name, self._maps, kernel, bias)


def _strongest_of(
    weights: Weights, n: int, put_out: Any, following: Any, keep: int
) -> NDArray[np.int64]:
    """Channels of ``conv_pw_n`` to keep, by what the convolution after the next makes of them."""
    if n < BLOCKS[-1]:
        strength = np.linalg.norm(weights[f"conv_pw_{n + 1}/kernel"][0, 0], axis=1)
        return strongest(_sampled(following), strength, keep)
    features = put_out.mean((1, 2)).numpy()
    head = weights.get(f"{EMOTION}/kernel", np.ones((features.shape[1], 8), np.float32))
    return strongest(features, np.linalg.norm(head, axis=1), keep)


def _set(weights: Weights, name: str, kernel: NDArray[Any], bias: NDArray[Any], maps: Any) -> Any:
    """Set a convolution; return what it puts out, after ReLU6."""
    weights |= {f"{name}/kernel": _single(kernel), f"{name}/bias": _single(bias)}
    given = (torch.tensor(weights[f"{name}/{v}"]) for v in ("kernel", "bias"))
    return convolve(name, maps, *given).clamp(0, 6)


def _single(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _unfolded(folded: Weights, pictures: NDArray[np.float32]) -> Weights:
    """The same function with normalisation whose statistics are those of ``pictures``.

    With a convolution's mean and variance as moving statistics, gamma = sqrt(variance + epsilon) and
    beta = mean + bias, normalisation adds the bias and no more.
    """
    weights: Weights = {}
    for name, given, maps in steps(tensors(folded), torch.tensor(pictures)):  # noqa: B007  the last
        kernel, bias = folded[f"{name}/kernel"], folded[f"{name}/bias"]
        sums = convolve(name, given, torch.tensor(kernel))
        mean, variance = _statistics(sums)
        weights |= {
            f"{name}/kernel": kernel,
            f"{name}_bn/gamma": np.sqrt(variance + EPSILON),
            f"{name}_bn/beta": mean + bias,
            f"{name}_bn/moving_mean": mean,
            f"{name}_bn/moving_variance": variance,
        }
    mean, variance = _statistics(maps)
    weights |= {"top_bn/moving_mean": mean, "top_bn/moving_variance": variance}
    for head in HEADS:
        if f"{head}/kernel" in folded:
            kernel, bias = folded[f"{head}/kernel"], folded[f"{head}/bias"]
            weights[f"{head}/kernel"] = kernel * np.sqrt(variance + EPSILON)[:, None]
            weights[f"{head}/bias"] = _single(bias + mean @ kernel)
    return weights


def _statistics(maps: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and variance of each channel."""
    mean = maps.mean((0, 1, 2))
    return mean.numpy(), (maps - mean).square().mean((0, 1, 2)).numpy()
