"""dlib's face network as a teacher: a residual network of 29 convolutions, with our two heads.

D. E. King, *High Quality Face Recognition with Deep Metric Learning*, dlib 2017; the weights are in the
public domain.  Blocks as in K. He et al., *Deep Residual Learning for Image Recognition*, CVPR 2016.
Weights are folded: ``layer/kernel`` ``[h, w, in, out]`` and ``layer/bias``; ``pack_start_weights`` makes
them from published files.  It sees luma of 150 x 150 pixels in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch.nn.functional import avg_pool2d, conv2d, dropout, max_pool2d, pad

from fer_edge.training.network import HEADS, State, Weights

FIRST: Final = "conv32_down"
BLOCKS: Final = (
    *("conv32_1", "conv32_2", "conv32_3"),
    *("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2"),
    *("conv256_down", "conv256_1", "conv256_2"),
    "conv256_down_out",
)
"""Residual blocks of two convolutions each, in order; those called ``down`` halve the side."""
SIZE: Final = 150
"""Side of the pictures that it was made for, pixels."""
RGB_MEAN: Final = np.array([122.782, 117.001, 104.298], np.float32)
"""What it subtracts from red, green and blue, before it divides by 256."""


def is_resnet(weights: Mapping[str, Any]) -> bool:
    """Whether weights are this network's."""
    return f"{FIRST}/kernel" in weights


def for_luma(weights: Weights) -> Weights:
    """Weights whose first kernel sees RGB, made to see luma in [-1, 1]; others stay as they are.

    The first convolution is not padded, so this is exact.
    """
    kernel = weights[f"{FIRST}/kernel"]
    if kernel.shape[2] == 1:
        return weights
    bias = weights[f"{FIRST}/bias"] + np.einsum("hwio,i->o", kernel, (127.5 - RGB_MEAN) / 256)
    kernel = kernel.sum(2, keepdims=True) * (127.5 / 256)
    return weights | {f"{FIRST}/kernel": kernel, f"{FIRST}/bias": bias.astype(np.float32)}


def with_heads(weights: Weights, rng: np.random.Generator) -> Weights:
    """The weights, with random heads in place of those that are not there."""
    features = weights[f"{BLOCKS[-1]}/conv2/bias"].size
    made: Weights = {}
    for name, values in HEADS.items():
        kernel: NDArray[np.float64] = rng.normal(0, features**-0.5, (features, values))
        made[f"{name}/kernel"] = kernel.astype(np.float32)
        made[f"{name}/bias"] = np.zeros(values, np.float32)
    return made | {name: array for name, array in weights.items() if name != "fc"}


def forward(
    state: State, pictures: Any, *, training: bool = False, rate: float = 0.0
) -> tuple[Any, Any]:
    """Logits ``[N, 8]`` and valence and arousal ``[N, 2]`` of luma ``[N, size, size, 1]``."""
    maps = pictures.movedim(-1, 1)
    maps = max_pool2d(_convolve(state, FIRST, maps, 2).relu(), 3, 2)
    for name in BLOCKS:
        maps = _block(state, name, maps)
    features = dropout(maps.float().mean((2, 3)), rate, training)
    logits, plane = (features @ state[f"{h}/kernel"] + state[f"{h}/bias"] for h in HEADS)
    return logits, plane.tanh()


def _convolve(state: State, name: str, maps: Any, stride: int, around: int = 0) -> Any:
    kernel = state[f"{name}/kernel"].to(maps.dtype).permute(3, 2, 0, 1)
    return conv2d(maps, kernel, state[f"{name}/bias"].to(maps.dtype), stride, around)


def _block(state: State, name: str, maps: Any) -> Any:
    """Two convolutions, added to what came in: halved, and with channels of zeros, where they differ."""
    down = "down" in name
    made = _convolve(state, f"{name}/conv1", maps, 2 if down else 1, 0 if down else 1).relu()
    made = _convolve(state, f"{name}/conv2", made, 1, 1)
    if down:
        maps = avg_pool2d(maps, 2)
        height, width = (a - b for a, b in zip(maps.shape[2:], made.shape[2:], strict=True))
        made = pad(made, (0, max(0, width), 0, max(0, height)))
        # At other sizes than its own it can be the other way round.
        more = [max(0, -side) for side in (width, height)]
        maps = pad(maps, (0, more[0], 0, more[1], 0, made.shape[1] - maps.shape[1]))
    return (maps + made).relu()
