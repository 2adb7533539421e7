"""Drawing on an array: what OpenCV does, plus bitmaps of opacity in one colour.

Four channels hold a transparent layer with colours multiplied by their opacity, as blending leaves
them; three hold a picture.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_edge.overlay.palette import Colour

Image = NDArray[np.uint8]

FRACTION_BITS = 3
"""Coordinates in eighths of a pixel: what moves slowly moves smoothly."""

CACHE_SIZE = 512
"""Number of stamps in memory; each has a few tens of kilobytes on a large screen."""


@dataclass(frozen=True, slots=True)
class Ink:
    """What a stamp looks like; equal ones share a bitmap."""

    shape: Hashable
    """Names the bitmap."""
    colour: Colour
    opacity: float = 1.0


class Stamps:
    """Bitmaps that are made once and laid over a canvas again and again.

    A stamp holds what is added, and the share of the canvas that shows through, so that laying it
    down is one multiplication and one addition.
    """

    def __init__(self, channels: int) -> None:
        """For canvases with this number of channels."""
        self._channels = channels
        self._cache: dict[Ink, tuple[Image, Image]] = {}

    def lay(
        self, image: Image, where: tuple[int, int], ink: Ink, make: Callable[[], Image]
    ) -> None:
        """Lay `make()`, the bitmap of opacity that `ink` names, with its corner at `where`."""
        stamp = self._cache.get(ink)
        if stamp is None:
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            stamp = self._cache[ink] = self._stamp(make(), ink)
        _blend(image, where, *stamp)

    def _stamp(self, bitmap: Image, ink: Ink) -> tuple[Image, Image]:
        mask = bitmap.astype(np.float32)[:, :, None] * (ink.opacity / 255)
        colour = np.array(bgr(ink.colour, self._channels), np.float32)
        transmitted = 255 - 255 * np.repeat(mask, self._channels, axis=2)
        return np.rint(mask * colour).astype(np.uint8), np.rint(transmitted).astype(np.uint8)


def _blend(image: Image, where: tuple[int, int], add: Image, transmitted: Image) -> None:
    import cv2

    x, y = where
    left, top = max(0, -x), max(0, -y)
    right = min(add.shape[1], image.shape[1] - x)
    bottom = min(add.shape[0], image.shape[0] - y)
    if left >= right or top >= bottom:
        return
    ground = image[y + top : y + bottom, x + left : x + right]
    darkened = cv2.multiply(ground, transmitted[top:bottom, left:right], scale=1 / 255)
    cv2.add(darkened, add[top:bottom, left:right], dst=ground)


def bgr(colour: Colour, channels: int) -> tuple[int, ...]:
    """The colour in OpenCV's order of channels, opaque."""
    red, green, blue = colour
    return (blue, green, red, 255)[:channels]


def rounded(width: int, height: int, radius: int) -> Image:
    """Opacity of a rectangle with round corners."""
    import cv2

    times = 4
    radius = min(radius, width // 2, height // 2)
    mask = np.full((height, width), 255, np.uint8)
    if radius < 1:
        return mask
    big = np.zeros((radius * times, radius * times), np.uint8)
    cv2.circle(big, (radius * times, radius * times), radius * times, 255, -1)
    corner = cv2.resize(big, (radius, radius), interpolation=cv2.INTER_AREA)
    mask[:radius, :radius] = corner
    mask[:radius, -radius:] = corner[:, ::-1]
    mask[-radius:, :radius] = corner[::-1]
    mask[-radius:, -radius:] = corner[::-1, ::-1]
    return mask


def polyline(
    image: Image, points: Sequence[tuple[float, float]], colour: Colour, width: int
) -> None:
    """A smooth line through points in pixels."""
    import cv2

    fixed = np.rint(np.array(points) * (1 << FRACTION_BITS)).astype(np.int32)
    cv2.polylines(
        image,
        [fixed],
        isClosed=False,
        color=bgr(colour, image.shape[2]),
        thickness=width,
        lineType=cv2.LINE_AA,
        shift=FRACTION_BITS,
    )


def disc(image: Image, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    """A filled circle; pixels."""
    import cv2

    x, y, r = (round(v * (1 << FRACTION_BITS)) for v in (*centre, radius))
    ink = bgr(colour, image.shape[2])
    cv2.circle(image, (x, y), r, ink, -1, cv2.LINE_AA, FRACTION_BITS)
