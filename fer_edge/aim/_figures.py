"""How bright and how sharp a picture is, in a figure and a word; pure."""

from typing import Final

import numpy as np

from fer_edge.types import GrayImage

DARK: Final = 50.0
BRIGHT: Final = 200.0
"""Mean luma of 255."""
SOFT: Final = 40.0
"""Variance of the Laplacian at a width of `WIDTH_PX`."""
WIDTH_PX: Final = 640


def brightness(luma: GrayImage) -> tuple[float, str]:
    """Mean luma, 0 to 255, and `dark`, `good` or `bright`."""
    mean = float(luma.mean())
    return mean, "dark" if mean < DARK else "bright" if mean > BRIGHT else "good"


def sharpness(luma: GrayImage) -> tuple[float, str]:
    """Variance of the Laplacian, and `soft` or `sharp`.

    From J. L. Pech-Pacheco and others, "Diatom autofocusing in brightfield microscopy" (2000). It rises
    with the focus of one scene; an empty wall is soft whatever the focus.
    """
    import cv2

    if luma.shape[1] > WIDTH_PX:
        height = max(1, round(luma.shape[0] * WIDTH_PX / luma.shape[1]))
        luma = np.asarray(cv2.resize(luma, (WIDTH_PX, height), interpolation=cv2.INTER_AREA))
    variance = float(cv2.Laplacian(luma, cv2.CV_64F).var())
    return variance, "soft" if variance < SOFT else "sharp"
