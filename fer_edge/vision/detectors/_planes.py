"""Planes that a detector looks at: lit so that a dark face has contrast, and turned."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.types import Box, Detection, GrayImage

DARK_MEDIAN: Final = 40.0
"""Grey level: where half of a plane is darker, its dark levels are spread."""
LIT_MEDIAN: Final = 105.0
"""To what the median is then brought."""
GOOD_MEAN: Final = 55.0
"""Grey level; with a mean above it, and a deviation below the mean, no half of a plane is dark."""
FLAT_DEVIATION: Final = 14.0
"""A plane with less contrast is stretched; more contrast than needed makes the cascade slower …"""
LIT_DEVIATION: Final = 50.0
"""… to this.  OpenCV's cascade passes over every window with a deviation of 10 and less."""
MOST_GAIN: Final = 12.0
"""More would show nothing but noise."""
SAMPLED: Final = 4
"""One pixel in this number, across and down, is enough to measure light."""


def even_light(plane: GrayImage) -> GrayImage:
    """The plane with more contrast if it is dark or flat, else as it is."""
    sample = plane[::SAMPLED, ::SAMPLED] if plane.size > 64 * 64 else plane
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(np.ascontiguousarray(sample)))
    if mean > GOOD_MEAN and FLAT_DEVIATION < deviation < mean:
        # Most planes: neither flat nor mostly dark, and that is quickly seen.
        return plane
    levels = np.arange(256, dtype=np.float32)
    counts = np.bincount(sample.ravel(), minlength=256).astype(np.float64)
    median = float(np.searchsorted(counts.cumsum(), counts.sum() / 2))
    curve: NDArray[Any] = levels
    if median < DARK_MEDIAN:
        power = np.log(LIT_MEDIAN / 255) / np.log(max(median, 4.0) / 255)
        curve = 255 * (levels / 255) ** np.float32(power)
    mean = float(counts @ curve / counts.sum())
    deviation = float(np.sqrt(counts @ (curve - mean) ** 2 / counts.sum()))
    if deviation < FLAT_DEVIATION:
        gain = min(MOST_GAIN, LIT_DEVIATION / max(deviation, 1.0))
        curve = (curve - mean) * gain + 120
    if curve is levels:
        return plane
    table = curve.clip(0, 255).astype(np.uint8)
    return cv2.LUT(plane, table).astype(np.uint8, copy=False)


@dataclass(frozen=True, slots=True)
class Turned:
    """A plane turned about its centre, all of it in view."""

    plane: GrayImage
    angle: float
    """Degrees counter-clockwise: a head tilted as far clockwise is upright in it."""
    size: tuple[int, int]
    """Width and height before."""

    @classmethod
    def of(cls, plane: GrayImage, angle: float) -> "Turned":
        """Turn a plane; 0 leaves it as it is."""
        height, width = plane.shape
        if not angle:
            return cls(plane, 0.0, (width, height))
        matrix, size = _rotation(width, height, angle)
        # Grey outside: flat, so the cascade leaves it at once.
        turned = cv2.warpAffine(plane, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(128,))
        return cls(turned.astype(np.uint8, copy=False), angle, (width, height))

    def back(self, detection: Detection) -> Detection:
        """What was found in the turned plane, in the plane before."""
        if not self.angle:
            return detection
        matrix, _ = _rotation(*self.size, self.angle)
        inverse = cv2.invertAffineTransform(matrix)
        box = detection.box
        centre = (box.x + box.width / 2, box.y + box.height / 2)
        (x, y), *landmarks = (
            tuple(map(float, inverse @ (*point, 1.0))) for point in (centre, *detection.landmarks)
        )
        return Detection(
            Box(x - box.width / 2, y - box.height / 2, box.width, box.height),
            detection.score,
            wrapped(detection.angle + self.angle),
            tuple((across, down) for across, down in landmarks),
        )


def _rotation(width: int, height: int, angle: float) -> tuple[NDArray[Any], tuple[int, int]]:
    """The matrix that turns a plane, and the size that holds all of it."""
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, high = round(width * cos + height * sin), round(width * sin + height * cos)
    matrix[:, 2] += (wide / 2 - width / 2, high / 2 - height / 2)
    return matrix, (wide, high)


def wrapped(angle: float) -> float:
    """The same angle between -180 and 180 degrees."""
    return (angle + 180) % 360 - 180
