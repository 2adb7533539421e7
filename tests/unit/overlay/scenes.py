"""Faces and scenes to draw."""

import numpy as np

from fer_edge.overlay.scene import Scene, ShownFace, Status
from fer_edge.types import Box, Emotion

HAPPY = np.array([0.09, 0.78, 0.01, 0.06, 0.02, 0.01, 0.01, 0.02], np.float32)


def face(number=1, *, emotion=Emotion.HAPPY, box=Box(312, 483, 291, 291), probabilities=HAPPY):  # noqa: B008
    trail = tuple((0.02 * step - 0.3, 0.5 - 0.01 * step) for step in range(40))
    return ShownFace(number, box, emotion, 0.78, probabilities, trail)


def scene_of(*faces, status=Status(29.8, 43, broker=True), notice=""):  # noqa: B008
    return Scene(1920, 1080, faces, status, notice)
