"""How far each change to a training picture may go: recipes by name."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

from fer_edge.errors import ConfigError


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
    sidelit: float = 0.0
    """Share of pictures whose light falls off across the face."""
    dark: float = 0.0
    """Share of pictures in the dark, with a sensor's noise, rounded to the grey levels that are left."""
    darkest: float = 0.1
    """Least light of those, as a share; log-uniform from this to .6."""
    moving: float = 0.0
    """Share of pictures blurred along a line."""
    small: float = 0.0
    """Share of pictures reduced to 14 to 32 pixels and enlarged again."""
    masked: float = 0.0
    """Share of faces with a mask over mouth and nose."""
    glasses: float = 0.0
    """Share of faces with glasses, half of them dark."""
    hands: float = 0.0
    """Share of faces with a hand before them."""


STILL: Final = Recipe(
    **{field.name: 1.0 if field.name in {"zoom", "gamma"} else 0.0 for field in fields(Recipe)}
)
"""Nothing changes."""

RECIPES: Final[dict[str, Recipe]] = {
    "room": Recipe(
        rotation_deg=15,
        zoom=1.28,
        shift=0.11,
        contrast=0.3,
        brightness=25,
        gamma=1.4,
        blurred=0.35,
        blur_px=3.2,
        noisy=0.3,
        occluded=0.05,
        sidelit=0.15,
        dark=0.22,
        moving=0.1,
        small=0.15,
        masked=0.1,
        glasses=0.06,
        hands=0.06,
    ),
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
