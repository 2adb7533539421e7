"""Label-preserving changes to whole batches of pictures on a PyTorch device, for training only.

They cover what differs between a data set's crops and what a camera in a room sees through a face
detector: boxes that are looser, tighter, off centre or tilted, light from the side, darkness with a
sensor's noise, blur of lens and motion, faces of a few pixels, and what covers a face.

For the sake of speed the first pictures of a batch are the ones enlarged with a cubic and the last ones
those made small; rows of a batch are shuffled.
"""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch.nn.functional import conv2d, grid_sample, interpolate, pad

from fer_edge.preprocess import LEAST_DEVIATION
from fer_edge.training.recipes import Recipe

TAPS: Final = 15
"""Of a blur: three of the widest sigmas to either side."""


def augment(pictures: Any, size: int, recipe: Recipe) -> tuple[Any, Any, Any]:
    """Change ``[N, height, width]`` grey levels, float32.

    Draws come from PyTorch's own generator of the device; nothing waits for it.

    Returns:
        The pictures only mirrored, turned and moved ``[N, size, size]``, 0 to 255; the same pictures
        changed in all ways; and which of them are mirrored ``[N]``.
    """
    moved, across, down, mirrored = _move(pictures, size, recipe)
    covered = _cover(moved, across, down, recipe)
    lit = _light(_light_from_side(covered, recipe), recipe)
    softened = _make_small(_blur_by_motion(_soften(lit, recipe), recipe), recipe)
    return moved, _darken(_add_noise(_lay_rectangle(softened, recipe), recipe), recipe), mirrored


def even_light(pictures: Any, mean: float, deviation: float) -> Any:
    """``preprocess.to_tensor``'s mean and deviation for ``[N, h, w]`` grey levels."""
    by_picture = pictures.mean((1, 2), keepdim=True)
    spread = pictures.std((1, 2), keepdim=True, correction=0).clamp(min=LEAST_DEVIATION)
    return ((pictures - by_picture) / spread * deviation + mean).clamp(0, 255)


def _uniform(like: Any, low: float, high: float) -> Any:
    """``[N]`` numbers, one a picture."""
    return torch.empty(len(like), device=like.device).uniform_(low, high)


def _drawn(like: Any, share: float) -> Any:
    """``[N, 1, 1]``: whether a change that ``share`` of the pictures have is made."""
    return (_uniform(like, 0, 1) < share)[:, None, None]


def _steps(pictures: Any) -> Any:
    """Places of a side's pixels, -1 to 1."""
    return torch.linspace(-1, 1, pictures.shape[1], device=pictures.device)


def _move(pictures: Any, size: int, recipe: Recipe) -> tuple[Any, Any, Any, Any]:
    """Mirror, rotate, zoom and shift in one interpolation; outside, the edge is repeated or mirrored.

    Also returns where in the crop each pixel comes from, across and down ``[N, size, size]``, 0 to 1.
    """
    count, height, width = pictures.shape
    angle = _uniform(pictures, -1, 1) * math.radians(recipe.rotation_deg)
    zoom = recipe.zoom ** _uniform(pictures, -1, 1)
    mirrored = _uniform(pictures, 0, 1) < recipe.flip
    mirror = 1 - 2 * mirrored.float()
    steps = torch.arange(size, device=pictures.device) - (size - 1) / 2
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    cos, sin = (wave[:, None, None] / zoom[:, None, None] for wave in (angle.cos(), angle.sin()))
    sideways = mirror[:, None, None] * (cos * across) - sin * down
    upright = mirror[:, None, None] * (sin * across) + cos * down
    mirrored_edge = _drawn(pictures, 0.5)
    grid, places = [], []
    for turned, side in ((sideways, width), (upright, height)):
        shift = _uniform(pictures, -1, 1)[:, None, None] * recipe.shift * side
        place = (side - 1) / 2 + shift + turned * side / size
        last = side - 1
        inside = last - (last - place.remainder(2 * last)).abs()
        places.append(place / last)
        place = torch.where(mirrored_edge, inside, place.clamp(0, last))
        grid.append(place * 2 / last - 1)
    samples = torch.stack(grid, -1)
    given = pictures[:, None]
    sharp = round(recipe.cubic * count)
    parts = [
        grid_sample(given[rows], samples[rows], how, "border", align_corners=True)
        for rows, how in ((slice(sharp), "bicubic"), (slice(sharp, None), "bilinear"))
        if len(given[rows])
    ]
    return torch.cat(parts)[:, 0].clamp(0, 255), *places, mirrored


def _cover(pictures: Any, across: Any, down: Any, recipe: Recipe) -> Any:
    """Lay masks, glasses and hands over; a data set's crop has the eyes at 40 % of its height."""
    if recipe.masked:
        pictures = _put_on_mask(pictures, across, down, recipe.masked)
    if recipe.glasses:
        pictures = _put_on_glasses(pictures, across, down, recipe.glasses)
    return _put_hand(pictures, across, down, recipe.hands) if recipe.hands else pictures


def _put_on_mask(pictures: Any, across: Any, down: Any, share: float) -> Any:
    """From below the eyes to the chin, in one shade that is a little uneven."""
    upper = _uniform(pictures, 0.48, 0.62)[:, None, None]
    half = _uniform(pictures, 0.3, 0.44)[:, None, None]
    # Higher on the nose than on the cheeks.
    bridge = upper + 0.5 * (across - 0.5).square()
    inside = ((across - 0.5).abs() < half * (1.15 - 0.5 * (down - 0.5))) & (down > bridge)
    shade = _uniform(pictures, 40, 245)[:, None, None]
    folds = 12 * torch.sin(down * _uniform(pictures, 15, 45)[:, None, None])
    return torch.where(inside & _drawn(pictures, share), (shade + folds).clamp(0, 255), pictures)


def _put_on_glasses(pictures: Any, across: Any, down: Any, share: float) -> Any:
    """Two rounded lenses in a frame; dark or clear."""
    wide, high = (_uniform(pictures, *ends)[:, None, None] for ends in ((0.13, 0.18), (0.08, 0.13)))
    level = _uniform(pictures, 0.36, 0.44)[:, None, None]
    beside = ((across - 0.5).abs() - 0.2) / wide
    distance = (beside.square().square() + ((down - level) / high).square().square()) ** 0.25
    bridge = ((down - level).abs() < 0.015) & ((across - 0.5).abs() < 0.2)
    frame = ((distance - 1).abs() < 0.12) | (bridge & (distance > 1))
    dark = _uniform(pictures, 0, 60)[:, None, None]
    lens = torch.where(_drawn(pictures, 0.5), 0.25 * pictures + dark, pictures + 10)
    worn = _drawn(pictures, share)
    pictures = torch.where(worn & (distance < 1), lens, pictures)
    return torch.where(worn & frame, dark, pictures).clamp(0, 255)


def _put_hand(pictures: Any, across: Any, down: Any, share: float) -> Any:
    """Three fingers side by side from one edge, in the face's own shade."""
    angle = _uniform(pictures, 0, 2 * math.pi)[:, None, None]
    reach = _uniform(pictures, 0.12, 0.42)[:, None, None]
    along = (across - 0.5) * angle.cos() + (down - 0.5) * angle.sin()
    beside = (down - 0.5) * angle.cos() - (across - 0.5) * angle.sin()
    beside = beside - _uniform(pictures, -0.2, 0.2)[:, None, None]
    finger = beside.abs() / 0.055
    inside = (finger < 3) & (along > reach + 0.02 * (finger - 1).square())
    shade = pictures.mean((1, 2), keepdim=True) * _uniform(pictures, 0.75, 1.3)[:, None, None]
    edge = 1 - 0.35 * (finger.remainder(2) - 1).square()
    return torch.where(inside & _drawn(pictures, share), (shade * edge).clamp(0, 255), pictures)


def _light_from_side(pictures: Any, recipe: Recipe) -> Any:
    """Light that falls off in one direction, down to a seventh on the far side."""
    if not recipe.sidelit:
        return pictures
    angle = _uniform(pictures, 0, 2 * math.pi)[:, None, None]
    steps = _steps(pictures)
    slope = steps[None, None, :] * angle.cos() + steps[None, :, None] * angle.sin()
    strength = _drawn(pictures, recipe.sidelit) * _uniform(pictures, 0.3, 1.0)[:, None, None]
    light = torch.exp(strength * (slope.clamp(-1, 1) * 1.2 - 0.2))
    return (pictures * light).clamp(0, 255)


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
    """Blur or sharpen."""
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


def _blur_by_motion(pictures: Any, recipe: Recipe) -> Any:
    """Blur along a line of 4 to 14 pixels in any direction."""
    count = round(recipe.moving * len(pictures))
    if not count:
        return pictures
    # A run of rows in the middle of the batch: a kernel in two dimensions costs more than all else.
    first = min(len(pictures) // 2, len(pictures) - count)
    rows = slice(first, first + count)
    moving = pictures[rows]
    reach = TAPS // 2
    taps = torch.arange(-reach, reach + 1, device=pictures.device)
    angle = _uniform(moving, 0, math.pi)[:, None, None]
    half = _uniform(moving, 2, 7)[:, None, None]
    along = taps[None, None, :] * angle.cos() + taps[None, :, None] * angle.sin()
    beside = taps[None, :, None] * angle.cos() - taps[None, None, :] * angle.sin()
    kernels = (1 - beside.abs()).clamp(min=0) * (half + 0.5 - along.abs()).clamp(0, 1)
    kernels = kernels / kernels.sum((1, 2), keepdim=True)
    maps = pad(moving[None], (reach,) * 4, mode="reflect")
    blurred = conv2d(maps, kernels[:, None], groups=count)[0]
    return torch.cat([pictures[: rows.start], blurred, pictures[rows.stop :]])


def _make_small(pictures: Any, recipe: Recipe) -> Any:
    """Reduce the last pictures to 14, 16, 20, 24 and 32 pixels and enlarge them again."""
    sides = (14, 16, 20, 24, 32)
    each = round(recipe.small * len(pictures) / len(sides))
    if not each:
        return pictures
    size = pictures.shape[1:]
    parts = [pictures[: -each * len(sides)]]
    for given, side in zip(pictures[-each * len(sides) :].split(each), sides, strict=True):
        small = interpolate(given[:, None], (side, side), mode="area")
        parts.append(interpolate(small, size, mode="bilinear", align_corners=False)[:, 0])
    return torch.cat(parts)


def _lay_rectangle(pictures: Any, recipe: Recipe) -> Any:
    """Lay a grey rectangle over, an eighth to a third of the side."""
    size = pictures.shape[1]
    steps = torch.arange(size, device=pictures.device)
    covered = _drawn(pictures, recipe.occluded)
    for shape in ((-1, 1), (1, -1)):
        side = _uniform(pictures, size // 8, size // 3).floor()
        first = (_uniform(pictures, 0, 1) * (size - side)).floor()
        within = (steps >= first[:, None]) & (steps < (first + side)[:, None])
        covered = covered & within.view(-1, *(size if n < 0 else 1 for n in shape))
    grey = _uniform(pictures, 0, 256)[:, None, None]
    return torch.where(covered, grey, pictures)


def _add_noise(pictures: Any, recipe: Recipe) -> Any:
    """Noise of the same strength everywhere."""
    grain = _drawn(pictures, recipe.noisy) * recipe.noise * _uniform(pictures, 0, 1)[:, None, None]
    return (pictures + grain * torch.randn_like(pictures)).clamp(0, 255)


def _darken(pictures: Any, recipe: Recipe) -> Any:
    """Less light, the noise of a sensor that grows with its root, and whole grey levels only."""
    if not recipe.dark:
        return pictures
    low, high = math.log(recipe.darkest), math.log(0.6)
    dark = pictures * _uniform(pictures, low, high).exp()[:, None, None]
    # Read noise and shot noise, in grey levels; a face covers more sensor pixels than the input has.
    read, shot = (_uniform(pictures, 0, top)[:, None, None] for top in (2.5, 0.6))
    noise = (read.square() + shot.square() * dark).sqrt() * torch.randn_like(dark)
    dark = (dark + noise).round().clamp(0, 255)
    return torch.where(_drawn(pictures, recipe.dark), dark, pictures)
