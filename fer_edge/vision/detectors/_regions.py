"""The levelled neighbourhood of a face, and the way back from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from fer_edge.geometry import same_place, scale
from fer_edge.preprocess import UPRIGHT_DEG, crop_face
from fer_edge.types import Box, Detection, GrayImage, Picture
from fer_edge.vision.detectors._planes import wrapped

MOST_WIDTHS = 4
"""No neighbourhood is wider than this many pictures."""


@dataclass(frozen=True, slots=True)
class Region:
    """A square cut about a face, turned so that the face is upright."""

    plane: GrayImage
    """``[side, side]``."""
    centre: tuple[float, float]
    """In pixels of the full picture."""
    factor: float
    """Pixels of the picture in one of the plane's."""
    angle: float

    def back(self, found: Detection) -> Detection:
        """What was found in the plane, in the full picture."""
        turned = math.radians(self.angle)
        cos, sin = math.cos(turned) * self.factor, math.sin(turned) * self.factor
        half = len(self.plane) / 2

        def moved(across: float, down: float) -> tuple[float, float]:
            x, y = across - half, down - half
            return self.centre[0] + cos * x - sin * y, self.centre[1] + sin * x + cos * y

        box = found.box
        x, y = moved(box.x + box.width / 2, box.y + box.height / 2)
        width, height = box.width * self.factor, box.height * self.factor
        return Detection(
            Box(x - width / 2, y - height / 2, width, height),
            found.score,
            wrapped(found.angle + self.angle),
            tuple(moved(*point) for point in found.landmarks),
        )


def cut_region(picture: Picture, expected: Detection, *, side: int, reach: float) -> Region | None:
    """The neighbourhood of an expected face in this number of pixels; None if it has left the picture.

    Raises:
        FrameError: the picture cannot be decoded.
    """
    box = expected.box
    wide = max(box.width, 1.0) * (1 + 2 * reach)
    x, y = box.x + box.width / 2, box.y + box.height / 2
    inside = 0 <= x <= picture.width and 0 <= y <= picture.height
    if not inside or wide > MOST_WIDTHS * picture.width:
        return None
    plane = picture.gray(math.ceil(picture.width * min(1.0, side / wide)))
    to_plane = plane.shape[1] / picture.width
    angle = expected.angle if abs(expected.angle) > UPRIGHT_DEG else 0.0
    crop = crop_face(plane, scale(box, to_plane), margin=reach, angle=angle)
    how = cv2.INTER_AREA if len(crop) > side else cv2.INTER_LINEAR
    resized = cv2.resize(crop, (side, side), interpolation=how).astype(np.uint8, copy=False)
    return Region(resized, (x, y), len(crop) / to_plane / side, angle)


def shrunk(picture: Picture, width: int) -> GrayImage:
    """The luma of a picture, this many pixels wide.

    Raises:
        FrameError: the picture cannot be decoded.
    """
    gray = picture.gray(width)
    if gray.shape[1] == width:
        return gray
    height = max(1, round(picture.height * width / picture.width))
    small = cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def enlarged(found: Detection, factor: float) -> Detection:
    """The same in a picture that is `factor` times as large."""
    landmarks = tuple((x * factor, y * factor) for x, y in found.landmarks)
    return replace(found, box=scale(found.box, factor), landmarks=landmarks)


def best(detections: Sequence[Detection]) -> list[Detection]:
    """Each face once, as it was found most surely."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda one: -one.score):
        if not any(same_place(detection.box, other.box) for other in kept):
            kept.append(detection)
    return kept
