"""Text as bitmaps of opacity, drawn once and kept: OpenCV's own fonts know ASCII only.

The font that ships with fer-edge has Latin, Greek and Cyrillic letters; for another script the
configuration names a font file.
"""

import math
from functools import lru_cache
from importlib import resources
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fer_edge.errors import ConfigError

CACHE_SIZE = 1024
"""Number of bitmaps in memory, a few kilobytes each: every name and number that a screen shows."""


SAMPLES = 4
"""Letters are drawn this many times larger and averaged down."""


class Typesetter:
    """One font at any size."""

    def __init__(self, file: Path | None = None) -> None:
        """Read `file`, or the font that ships with fer-edge.

        Raises:
            ConfigError: the file is no font.
        """
        try:
            self._data = (
                file.read_bytes()
                if file is not None
                else resources.files("fer_edge.overlay")
                .joinpath("open-sans-semibold.ttf")
                .read_bytes()
            )
            ImageFont.truetype(BytesIO(self._data), 10)
        except OSError as error:
            reason = error.strerror or "not a font"
            raise ConfigError(
                f"overlay.font: {file}: {reason}; name a TrueType or OpenType file"
            ) from None
        # A cache of its own for each typesetter; a method's would keep every typesetter alive.
        self.font = lru_cache(maxsize=16)(self._font)
        self.mask = lru_cache(maxsize=CACHE_SIZE)(self._mask)
        self.width = lru_cache(maxsize=CACHE_SIZE)(self._width)

    def height(self, px: int) -> int:
        """Height in pixels of a line at this size."""
        ascent, descent = self.font(px).getmetrics()
        return int(ascent + descent)

    def _font(self, px: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(BytesIO(self._data), px)

    def _width(self, text: str, px: int) -> int:
        """Width in pixels of `text`."""
        return math.ceil(self.font(px * SAMPLES).getlength(text) / SAMPLES)

    def _mask(self, text: str, px: int) -> NDArray[np.uint8]:
        """Opacity of one line of text, [height of a line, width of the text], read-only."""
        # FreeType puts letters at whole pixels, unevenly; drawn larger, they are where they belong.
        size = (max(1, self.width(text, px)), self.height(px))
        image = Image.new("L", (size[0] * SAMPLES, size[1] * SAMPLES))
        ImageDraw.Draw(image).text((0, 0), text, fill=255, font=self.font(px * SAMPLES))
        return np.asarray(image.resize(size, Image.Resampling.BOX), np.uint8)
