"""A face laid over a background at a known place, and how light and lens change the frame.

Coordinates are continuous: pixel i covers i to i + 1. Angles are degrees clockwise.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.types import Box, GrayImage
from measure.wild.faces import Face

WIDTH = 1920
HEIGHT = 1080
NOISE = 2.0
"""Deviation of a sensor's noise in the dark, grey levels."""

Affine = NDArray[np.float64]
"""[2, 3]: where a point of a picture lies in the frame."""


@dataclass(frozen=True)
class Pose:
    """How a picture lies in the frame."""

    x: float
    """Middle of the picture, pixels of the frame."""
    y: float
    scale: float
    tilt: float = 0.0


@dataclass(frozen=True)
class Look:
    """What is done to a face or a frame."""

    tilt: float = 0.0
    """Degrees, to one side or the other in turn."""
    light: float = 1.0
    """Factor; below 1 a sensor's noise is added."""
    blur: float = 0.0
    """Deviation in pixels of the frame: out of focus."""
    covered: float = 0.0
    """Share of the face's box that something hides, from below or from a side."""


def affine(face: Face, pose: Pose) -> Affine:
    """From points of the picture to points of the frame."""
    height, width = face.picture.shape
    turn = math.radians(pose.tilt)
    cos, sin = pose.scale * math.cos(turn), pose.scale * math.sin(turn)
    x = pose.x - cos * width / 2 + sin * height / 2
    y = pose.y - sin * width / 2 - cos * height / 2
    return np.array([[cos, -sin, x], [sin, cos, y]])


def true_box(face: Face, pose: Pose) -> Box:
    """The square about the face in the frame; upright, as boxes are published."""
    box = face.box
    middle = (box.x + box.width / 2, box.y + box.height / 2, 1.0)
    x, y = (float(value) for value in affine(face, pose) @ middle)
    side = box.width * pose.scale
    return Box(x - side / 2, y - side / 2, side, side)


def lay(frame: GrayImage, face: Face, pose: Pose) -> GrayImage:
    """A copy of the frame with the picture laid over it."""
    made = frame.copy()
    height, width = face.picture.shape
    picture, matrix = face.picture, affine(face, pose)
    corners = matrix @ np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]])
    left, top = (max(0, math.floor(value) - 1) for value in corners.min(axis=1))
    right = min(frame.shape[1], math.ceil(corners[0].max()) + 1)
    bottom = min(frame.shape[0], math.ceil(corners[1].max()) + 1)
    if right <= left or bottom <= top:
        return made
    if pose.scale < 1:
        # A warp alone would leave pixels out.
        size = max(1, round(width * pose.scale)), max(1, round(height * pose.scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([width / size[0], height / size[1], 1.0])
    matrix = _for_opencv(matrix, left, top)
    extent = (right - left, bottom - top)
    laid = cv2.warpAffine(picture, matrix, extent, borderMode=cv2.BORDER_REPLICATE)
    opacity = cv2.warpAffine(np.ones(picture.shape, np.float32), matrix, extent)
    region = made[top:bottom, left:right]
    region[:] = np.rint(region + (laid - region.astype(np.float32)) * opacity)
    return made


def _for_opencv(matrix: Affine, left: int, top: int) -> Affine:
    """The same for the centres of pixels, which OpenCV counts from 0, in a part of the frame."""
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (0.5, 0.5) - (0.5 + left, 0.5 + top)
    return shifted


def cover(face: Face, share: float, side: str) -> Face:
    """The face with a share of its box hidden by a plain grey thing: from `below`, `left` or `right`."""
    if not share:
        return face
    box, picture = face.box, face.picture.copy()
    left, top = max(0, round(box.x)), max(0, round(box.y))
    right, bottom = max(left, round(box.x + box.width)), max(top, round(box.y + box.height))
    match side:
        case "below":
            picture[round(bottom - share * box.height) : bottom, left:right] = 90
        case "left":
            picture[top:bottom, left : round(left + share * box.width)] = 90
        case "right":
            picture[top:bottom, round(right - share * box.width) : right] = 90
        case _:
            raise ValueError(f"side is {side!r}; use below, left or right")
    return replace(face, picture=picture)


def expose(frame: GrayImage, look: Look, rng: np.random.Generator) -> GrayImage:
    """The frame through a lens out of focus, with less light and then a sensor's noise."""
    if look.blur:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), look.blur), np.uint8)
    if look.light == 1.0:
        return frame
    noise = rng.normal(0, NOISE, frame.shape).astype(np.float32)
    return np.rint(frame * np.float32(look.light) + noise).clip(0, 255).astype(np.uint8)


def background(rng: np.random.Generator) -> GrayImage:
    """A wall with texture at several scales and things on it, faceless; [1080, 1920]."""
    picture = np.full((HEIGHT, WIDTH), 110.0, np.float32)
    for cells, strength in ((6, 45), (24, 22), (96, 10)):
        coarse = rng.normal(0, strength, (cells * 9 // 16 + 2, cells + 2)).astype(np.float32)
        picture += cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(40):
        left, top = int(rng.integers(WIDTH)), int(rng.integers(HEIGHT))
        size = rng.integers(20, 400, 2)
        corner = left + int(size[0]), top + int(size[1])
        cv2.rectangle(picture, (left, top), corner, (float(rng.integers(20, 230)),), -1)
    return (picture + rng.normal(0, 2, picture.shape)).clip(0, 255).astype(np.uint8)
