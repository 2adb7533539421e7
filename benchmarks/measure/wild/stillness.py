"""Whether a portrait on the wall is told from a person who sits still.

Four columns: a portrait that never changes, two people who move, and one who sits still: sways by a pixel
or two, breathes and blinks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from fer_edge.sinks.payload import load_schema
from fer_edge.types import Box, GrayImage
from measure.wild.faces import Face
from measure.wild.film import Program, Published, filming
from measure.wild.found import overlapping
from measure.wild.scene import HEIGHT, WIDTH, Pose, background, lay, true_box

FPS = 10
PORTRAIT, WALKER, SITTER, OTHER_WALKER = range(4)
HEIGHT_PX = 280.0
"""Of every picture."""
NOISE = 2.0
"""Deviation of the sensor's noise, grey levels."""
BLINK_EVERY_S, BLINK_S = 4.0, 0.3
LAST_S = 5.0
"""The end of a film, by which a portrait must have been told."""


@dataclass(frozen=True)
class Scene:
    """One film's truth."""

    portrait: dict[int, Box]
    """True box by frame."""
    sitter: dict[int, Box]


@dataclass(frozen=True)
class Told:
    """Counts over some films."""

    portraits: int
    still: int
    """Portraits told still in all messages of the last seconds."""
    sitting: int
    """Frames in which a sitting person was published."""
    moving: int
    """Of these, not told still."""


def is_published() -> bool:
    """Whether messages say of a face that it is still."""
    return "still" in load_schema()["$defs"]["face"]["properties"]


def pose_of(role: int, second: float, face: Face) -> Pose:
    """Where one of the four is."""
    x, y = WIDTH * (role + 0.5) / 4, HEIGHT / 2
    scale = HEIGHT_PX / face.picture.shape[0]
    if role == PORTRAIT:
        return Pose(x, y - 150, scale)
    if role == SITTER:
        # Breathing, a quarter of a hertz, and the slower sway of a body that keeps its balance.
        breath, sway = math.sin(math.tau * second / 4), math.sin(math.tau * second / 7)
        return Pose(x + 2 * sway, y + 1.5 * breath, scale, 0.6 * sway)
    angle = math.tau * (second / 6 + role / 4)
    return Pose(x + 70 * math.cos(angle), y + 180 * math.sin(angle), scale, 10 * math.sin(angle))


def blinking(face: Face) -> Face:
    """The face with its eyes shut: lids in the tone of the skin below the eyes."""
    picture = face.picture.copy()
    for x, y in face.landmarks[:2]:
        reach = face.box.width
        below = picture[_rows(y + 0.07 * reach, 0.02 * reach), _rows(x, 0.05 * reach)]
        tone = float(np.median(below)) if below.size else 128.0
        axes = max(1, round(0.085 * reach)), max(1, round(0.04 * reach))
        cv2.ellipse(
            picture, (round(x), round(y)), axes, face.angle, 0, 360, (tone,), -1, cv2.LINE_AA
        )
    return replace(face, picture=picture)


def film_scene(path: Path, faces: Sequence[Face], seconds: float, *, seed: int) -> Scene:
    """Four faces: in the order of the columns."""
    rng = np.random.default_rng(seed)
    wall = background(rng)
    shut = blinking(faces[SITTER])
    truth = Scene({}, {})
    with filming(path, FPS) as film:
        for number in range(round(seconds * FPS)):
            second = number / FPS
            frame = wall
            for role, face in enumerate(faces):
                blinks = role == SITTER and second % BLINK_EVERY_S < BLINK_S
                frame = lay(frame, shut if blinks else face, pose_of(role, second, face))
            for role, boxes in ((PORTRAIT, truth.portrait), (SITTER, truth.sitter)):
                boxes[film.length] = true_box(faces[role], pose_of(role, second, faces[role]))
            film.add(_noisy(frame, rng))
    return truth


def judge_still(published: Published, scene: Scene) -> Told:
    """What was said of the portrait at the end, and of the person who sits, throughout."""
    last = max(scene.portrait, default=0) - round(LAST_S * FPS)
    portrait = [
        bool(found.get("still", False))
        for number, box in scene.portrait.items()
        if number > last and (found := overlapping(published.get(number, ()), box)) is not None
    ]
    sitter = [
        bool(found.get("still", False))
        for number, box in scene.sitter.items()
        if (found := overlapping(published.get(number, ()), box)) is not None
    ]
    told = bool(portrait) and all(portrait)
    return Told(1, int(told), len(sitter), len(sitter) - sum(sitter))


def measure_still(
    program: Program, faces: Sequence[Face], films: int, seconds: float, video: Path, *, seed: int
) -> Told:
    """So many films of `seconds`, four other faces in each; `video` is written over."""
    known = [face for face in faces if face.landmarks]
    told = []
    for number in range(min(films, len(known) // 4)):
        scene = film_scene(video, known[4 * number : 4 * number + 4], seconds, seed=seed + number)
        told.append(judge_still(program.publish(video), scene))
    return Told(
        sum(one.portraits for one in told),
        sum(one.still for one in told),
        sum(one.sitting for one in told),
        sum(one.moving for one in told),
    )


def _noisy(frame: GrayImage, rng: np.random.Generator) -> GrayImage:
    noise = rng.normal(0, NOISE, frame.shape).astype(np.float32)
    return np.rint(frame + noise).clip(0, 255).astype(np.uint8)


def _rows(middle: float, reach: float) -> slice:
    return slice(max(0, round(middle - reach)), max(0, round(middle + reach)) + 1)
