"""From a convolutional detector's box and landmarks to the square that the network reads."""

import math
from collections.abc import Sequence
from typing import Final

from fer_edge.types import Box, Detection, Point

SIDE: Final = 1.11
"""Side of the square, in square roots of the box's area …"""
BELOW: Final = 0.019
"""… and how far its centre lies below the box's, in sides.

So that the square lies on a face as Viola-Jones' box does, for which the models' cards state the margin:
measured for YuNet on 1,426 validation faces of FER+ (docs/experiments.md)."""


def face_of(box: Box, landmarks: Sequence[Point], score: float) -> Detection:
    """A detection with the square about a face and the tilt of its landmarks."""
    angle = tilt_of(landmarks)
    side = SIDE * math.sqrt(max(box.width, 0.0) * max(box.height, 0.0))
    turned = math.radians(angle)
    x = box.x + box.width / 2 - BELOW * side * math.sin(turned)
    y = box.y + box.height / 2 + BELOW * side * math.cos(turned)
    return Detection(Box(x - side / 2, y - side / 2, side, side), score, angle, tuple(landmarks))


def tilt_of(landmarks: Sequence[Point]) -> float:
    """Tilt of the head in degrees, clockwise: of the line through the eyes and of that down to the mouth.

    The two are weighed by their lengths: from the side the eyes are near each other, and the line through
    them tells little.
    """
    right, left, _, mouth_right, mouth_left = landmarks
    across = (left[0] - right[0], left[1] - right[1])
    down = (
        (mouth_right[0] + mouth_left[0] - right[0] - left[0]) / 2,
        (mouth_right[1] + mouth_left[1] - right[1] - left[1]) / 2,
    )
    # `down`, turned by a quarter, points the way that `across` does.
    return math.degrees(math.atan2(across[1] - down[0], across[0] + down[1]))
