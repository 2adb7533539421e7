"""Label-preserving changes to a picture, for training only.

They cover what differs between a data set's crops and a webcam seen through a face detector:
boxes that are looser, tighter, off centre or tilted, light, blur, sharpness, noise, and hands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from fer_edge.errors import ConfigError
from fer_edge.types import GrayImage


@dataclass(frozen=True)
class Recipe:
    """How far each change may go; a change is drawn anew for every picture."""

    flip: float = 0.5
    """Share of pictures that are mirrored."""
    rotation_deg: float = 12.0
    """Tilt, uniform within plus and minus this."""
    zoom: float = 1.22
    """Scale, log-uniform between 1 / zoom and zoom."""
    shift: float = 0.07
    """Shift, uniform within plus and minus this share of the side."""
    cubic: float = 0.33
    """Share of pictures enlarged with a cubic, sharper than the usual linear interpolation."""
    contrast: float = 0.35
    """Contrast factor, uniform in 1 plus and minus this."""
    brightness: float = 35.0
    """Added grey levels, uniform within plus and minus this."""
    gamma: float = 1.5
    """Exponent of the grey curve, log-uniform between 1 / gamma and gamma."""
    blurred: float = 0.5
    """Share of pictures that are blurred."""
    blur_px: float = 2.0
    """Largest sigma of that Gaussian blur, in pixels of the network's input."""
    sharpened: float = 0.25
    """Share of pictures that are sharpened: a camera's face has more detail than 48 pixels."""
    sharpen: float = 1.2
    """Largest amount of that unsharp masking."""
    noisy: float = 0.5
    """Share of pictures with noise."""
    noise: float = 6.0
    """Largest sigma of that noise in grey levels."""
    occluded: float = 0.1
    """Share of pictures with a grey rectangle laid over."""


STILL: Final = Recipe(
    flip=0,
    rotation_deg=0,
    zoom=1,
    shift=0,
    cubic=0,
    contrast=0,
    brightness=0,
    gamma=1,
    blurred=0,
    sharpened=0,
    noisy=0,
    occluded=0,
)
"""Nothing changes."""

RECIPES: Final[dict[str, Recipe]] = {
    "webcam": Recipe(),
    # Flip, brightness by a tenth, rotation by 10 degrees, zoom by a fifth.
    "thesis": replace(STILL, flip=0.5, brightness=25.5, rotation_deg=10, zoom=1.2),
    "none": STILL,
}


def recipe_of(name: str, change: str = "") -> Recipe:
    """The recipe ``name`` with some fields changed: ``rotation_deg=5,occluded=0``.

    Raises:
        ConfigError: a field that a recipe has not, or a value that is no number.
    """
    known = [field.name for field in fields(Recipe)]
    changed = {}
    for item in filter(None, change.split(",")):
        field, _, value = item.partition("=")
        if field not in known:
            raise ConfigError(f"--change {item}: no such field; choose of {', '.join(known)}")
        try:
            changed[field] = float(value)
        except ValueError:
            raise ConfigError(f"--change {item}: write it as {field}=NUMBER") from None
    return replace(RECIPES[name], **changed)


def augment(
    picture: GrayImage, size: int, flip: bool, rng: np.random.Generator, recipe: Recipe
) -> GrayImage:
    """Return ``[size, size]`` luma: ``picture`` mirrored if ``flip``, moved, lit and softened."""
    picture = _shrunk(picture, size)
    moved = _move(picture, size, flip, rng, recipe)
    light = _light(rng, recipe)
    return _soften(light[moved], rng, recipe)


def _shrunk(picture: GrayImage, size: int) -> GrayImage:
    """The picture, no more than half as large again as the input: interpolation skips pixels."""
    import cv2

    height, width = picture.shape
    factor = 1.5 * size / max(height, width)
    if factor >= 1:
        return picture
    to = max(1, round(width * factor)), max(1, round(height * factor))
    small: GrayImage = cv2.resize(picture, to, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return small


def _move(
    picture: GrayImage, size: int, flip: bool, rng: np.random.Generator, recipe: Recipe
) -> GrayImage:
    """Mirror, rotate, zoom and shift in one interpolation; outside, the edge is repeated."""
    import cv2

    height, width = picture.shape
    angle = math.radians(rng.uniform(-recipe.rotation_deg, recipe.rotation_deg))
    zoom = recipe.zoom ** rng.uniform(-1, 1)
    shift = rng.uniform(-recipe.shift, recipe.shift, 2) * (width, height)
    across, down = width / size / zoom, height / size / zoom
    mirror = -1 if flip else 1
    linear = np.array(
        [
            [mirror * across * math.cos(angle), -across * math.sin(angle)],
            [mirror * down * math.sin(angle), down * math.cos(angle)],
        ]
    )
    centre = np.array([(width - 1) / 2, (height - 1) / 2]) + shift
    offset = centre - linear @ np.full(2, (size - 1) / 2)
    how = cv2.INTER_CUBIC if rng.random() < recipe.cubic else cv2.INTER_LINEAR
    border = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101)[rng.integers(2)]
    matrix = np.column_stack([linear, offset])
    flags = how | cv2.WARP_INVERSE_MAP
    moved: GrayImage = cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=border)  # type: ignore[assignment]
    return moved


def _light(rng: np.random.Generator, recipe: Recipe) -> GrayImage:
    """A grey curve ``[256]``: gamma, contrast, brightness."""
    levels = np.linspace(0, 1, 256) ** (recipe.gamma ** rng.uniform(-1, 1)) * 255
    contrast = 1 + rng.uniform(-recipe.contrast, recipe.contrast)
    levels = (levels - 128) * contrast + 128
    levels += rng.uniform(-recipe.brightness, recipe.brightness)
    curve: GrayImage = levels.clip(0, 255).astype(np.uint8)
    return curve


def _soften(picture: GrayImage, rng: np.random.Generator, recipe: Recipe) -> GrayImage:
    """Blur or sharpen, add noise, lay a rectangle over."""
    import cv2

    draw = rng.random(3)
    if draw[0] < recipe.blurred:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.3 + rng.random() * recipe.blur_px)  # type: ignore[assignment]
    elif draw[0] < recipe.blurred + recipe.sharpened:
        amount = rng.random() * recipe.sharpen
        soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 2.5))
        picture = cv2.addWeighted(picture, 1 + amount, soft, -amount, 0)  # type: ignore[assignment]
    if draw[1] < recipe.noisy:
        sigma = rng.random() * recipe.noise
        grain = rng.standard_normal(picture.shape, np.float32) * sigma
        picture = (picture + grain).clip(0, 255).astype(np.uint8)
    if draw[2] < recipe.occluded:
        size = picture.shape[0]
        height, width = rng.integers(size // 8, size // 3, 2)
        top, left = rng.integers(0, size - height), rng.integers(0, size - width)
        picture[top : top + height, left : left + width] = rng.integers(0, 256)
    return picture
