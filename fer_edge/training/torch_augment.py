"""``augment`` for whole batches on a PyTorch device: the same changes by the same recipe.

A processor makes some thousand pictures a second, a graphics card a hundred times as many.  Two things
differ, for the sake of speed: the first pictures of a batch are the ones enlarged with a cubic, and
grey levels are not rounded between the steps.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn.functional import conv2d, grid_sample, pad

from fer_edge.training.augment import Recipe

TAPS = 15
"""Of a blur: three of the widest sigmas to either side."""


def augment_batch(pictures: Any, size: int, recipe: Recipe) -> Any:
    """Change ``[N, height, width]`` grey levels, float32; return ``[N, size, size]``, 0 to 255.

    Draws come from PyTorch's own generator of the device; nothing waits for it.
    """
    moved = _move(pictures, size, recipe)
    return _occlude(_soften(_light(moved, recipe), recipe), recipe)


def _uniform(like: Any, low: float, high: float) -> Any:
    """``[N]`` numbers, one a picture."""
    return torch.empty(len(like), device=like.device).uniform_(low, high)


def _move(pictures: Any, size: int, recipe: Recipe) -> Any:
    """Mirror, rotate, zoom and shift in one interpolation; outside, the edge is repeated or mirrored."""
    count, height, width = pictures.shape
    angle = _uniform(pictures, -1, 1) * math.radians(recipe.rotation_deg)
    zoom = recipe.zoom ** _uniform(pictures, -1, 1)
    mirror = 1 - 2 * (_uniform(pictures, 0, 1) < recipe.flip).float()
    steps = torch.arange(size, device=pictures.device) - (size - 1) / 2
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    cos, sin = (wave[:, None, None] / zoom[:, None, None] for wave in (angle.cos(), angle.sin()))
    sideways = mirror[:, None, None] * (cos * across) - sin * down
    upright = mirror[:, None, None] * (sin * across) + cos * down
    mirrored_edge = _uniform(pictures, 0, 1)[:, None, None] < 0.5
    grid = []
    for turned, side in ((sideways, width), (upright, height)):
        shift = _uniform(pictures, -1, 1)[:, None, None] * recipe.shift * side
        place = (side - 1) / 2 + shift + turned * side / size
        last = side - 1
        inside = last - (last - place.remainder(2 * last)).abs()
        place = torch.where(mirrored_edge, inside, place.clamp(0, last))
        grid.append(place * 2 / last - 1)
    places = torch.stack(grid, -1)
    given = pictures[:, None]
    sharp = round(recipe.cubic * count)
    parts = [
        grid_sample(given[rows], places[rows], how, "border", align_corners=True)
        for rows, how in ((slice(sharp), "bicubic"), (slice(sharp, None), "bilinear"))
        if len(given[rows])
    ]
    return torch.cat(parts)[:, 0].clamp(0, 255)


def _light(pictures: Any, recipe: Recipe) -> Any:
    """Gamma, contrast, brightness."""
    gamma, contrast, brightness = (
        each[:, None, None]
        for each in (
            recipe.gamma ** _uniform(pictures, -1, 1),
            1 + recipe.contrast * _uniform(pictures, -1, 1),
            recipe.brightness * _uniform(pictures, -1, 1),
        )
    )
    levels = (pictures / 255) ** gamma * 255
    return ((levels - 128) * contrast + 128 + brightness).clamp(0, 255)


def _soften(pictures: Any, recipe: Recipe) -> Any:
    """Blur or sharpen, and add noise."""
    draw = _uniform(pictures, 0, 1)
    blurs = draw < recipe.blurred
    sharpens = ~blurs & (draw < recipe.blurred + recipe.sharpened)
    sigma = torch.where(
        blurs,
        0.3 + recipe.blur_px * _uniform(pictures, 0, 1),
        _uniform(pictures, 0.8, 2.5),
    )
    amount = torch.where(sharpens, recipe.sharpen * _uniform(pictures, 0, 1), -blurs.float())
    pictures = pictures + amount[:, None, None] * (pictures - _blurred(pictures, sigma))
    noisy = (_uniform(pictures, 0, 1) < recipe.noisy).float()
    grain = noisy * recipe.noise * _uniform(pictures, 0, 1)
    pictures = pictures + grain[:, None, None] * torch.randn_like(pictures)
    return pictures.clamp(0, 255)


def _blurred(pictures: Any, sigma: Any) -> Any:
    """Each picture under a Gaussian of its own ``sigma`` ``[N]``, pixels."""
    reach = TAPS // 2
    taps = torch.arange(-reach, reach + 1, device=pictures.device)
    kernels = torch.exp(-0.5 * (taps / sigma[:, None]) ** 2)
    kernels = kernels / kernels.sum(1, keepdim=True)
    maps = pad(pictures[None], (reach,) * 4, mode="reflect")
    maps = conv2d(maps, kernels[:, None, :, None], groups=len(pictures))
    return conv2d(maps, kernels[:, None, None, :], groups=len(pictures))[0]


def _occlude(pictures: Any, recipe: Recipe) -> Any:
    """Lay a grey rectangle over, an eighth to a third of the side."""
    size = pictures.shape[1]
    steps = torch.arange(size, device=pictures.device)
    covered = (_uniform(pictures, 0, 1) < recipe.occluded)[:, None, None]
    for shape in ((-1, 1), (1, -1)):
        side = _uniform(pictures, size // 8, size // 3).floor()
        first = (_uniform(pictures, 0, 1) * (size - side)).floor()
        within = (steps >= first[:, None]) & (steps < (first + side)[:, None])
        covered = covered & within.view(-1, *(size if n < 0 else 1 for n in shape))
    grey = _uniform(pictures, 0, 256)[:, None, None]
    return torch.where(covered, grey, pictures)
