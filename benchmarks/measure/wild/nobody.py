"""Tracks that are published where nobody is."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from fer_edge.types import GrayImage
from measure.wild.film import Program, Published, filming
from measure.wild.scene import HEIGHT, WIDTH, background

FPS = 10
SCENE_S = 2
"""How long each background is in view."""
PAN_PX = 2
"""How far the picture moves from frame to frame: a still one is not searched again."""
TEXTURES = (
    "brick",
    "grass",
    "gravel",
    "coffee",
    "coins",
    "hubble_deep_field",
    "moon",
    "page",
    "text",
)
"""Pictures without faces that scikit-image ships."""
PHOTOGRAPHS = ("china.jpg", "flower.jpg")
"""The same of scikit-learn."""


def film_nobody(path: Path, seconds: int, *, seed: int) -> None:
    """Ever new backgrounds: walls with things on them, and parts of photographs without faces."""
    rng = np.random.default_rng(seed)
    pictures = photographs()
    with filming(path, FPS) as film:
        for number in range(seconds // SCENE_S):
            scene = background(rng) if number % 2 else _part(rng, pictures)
            for shift in range(0, SCENE_S * FPS * PAN_PX, PAN_PX):
                film.add(np.roll(scene, shift, axis=1))


def photographs() -> list[GrayImage]:
    """Pictures without faces that packages ship, as luma."""
    import skimage.data
    from sklearn.datasets import load_sample_image

    pictures = [getattr(skimage.data, name)() for name in TEXTURES]
    pictures += [load_sample_image(name) for name in PHOTOGRAPHS]
    return [
        np.asarray(
            one if one.ndim == 2 else cv2.cvtColor(np.asarray(one), cv2.COLOR_RGB2GRAY), np.uint8
        )
        for one in pictures
    ]


def tracks(published: Published) -> set[int]:
    """Ids of all faces."""
    return {face["id"] for faces in published.values() for face in faces}


def count_false_tracks(
    program: Program, seconds: int, clips: Sequence[Path], video: Path, *, seed: int
) -> int:
    """How many in the film and in clips without faces; `video` is written over."""
    film_nobody(video, seconds, seed=seed)
    return sum(len(tracks(program.publish(one))) for one in (video, *clips))


def clip_seconds(clip: Path) -> float:
    """How long it is."""
    capture = cv2.VideoCapture(str(clip))
    rate = capture.get(cv2.CAP_PROP_FPS) or 1.0
    return float(capture.get(cv2.CAP_PROP_FRAME_COUNT) / rate)


def _part(rng: np.random.Generator, pictures: Sequence[GrayImage]) -> GrayImage:
    """A part of a photograph, enlarged to a frame."""
    picture = pictures[int(rng.integers(len(pictures)))]
    height, width = picture.shape
    widest = min(width, height * WIDTH / HEIGHT)
    part_width = round(widest * float(rng.uniform(0.4, 1.0)))
    part_height = round(part_width * HEIGHT / WIDTH)
    left = int(rng.integers(width - part_width + 1))
    top = int(rng.integers(height - part_height + 1))
    part = picture[top : top + part_height, left : left + part_width]
    return np.asarray(cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)
