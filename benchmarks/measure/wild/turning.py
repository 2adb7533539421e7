"""Whether a head keeps its id while it turns from one shoulder to the other and back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_edge.types import Box
from measure.wild.faces import Face
from measure.wild.film import Program, Published, filming
from measure.wild.found import EDGES, overlapping
from measure.wild.scene import Pose, background, lay, true_box

FPS = 30
"""A camera's."""
FURTHEST = 45.0
"""Degrees to either side."""
BEFORE_S, TURN_S, AFTER_S, GAP_S = 1.0, 2.0, 0.5, 1.0
"""The head is held at -45°, turns to 45° and back, is held again, and is gone."""


@dataclass(frozen=True)
class Head:
    """One turn of one head."""

    boxes: dict[int, Box]
    """True box by frame."""
    turns: int
    """First frame of the turn."""
    ends: int
    """First frame after it."""


@dataclass(frozen=True)
class Kept:
    """Of some heads."""

    heads: int
    known: int
    """Heads that had an id when they began to turn."""
    kept: int
    """Of these, with the same id when they are back."""
    frames: int
    seen: int
    """Of all frames of turns of known heads, those in which the head is published."""


def tilt_at(second: float) -> float:
    """The head's tilt so many seconds after the turn began."""
    inside = min(max(second, 0.0), TURN_S)
    return -FURTHEST * math.cos(math.tau * inside / TURN_S)


def film_turning(path: Path, faces: Sequence[Face], height: float, *, seed: int) -> list[Head]:
    """Each face once, `height` pixels high, in the left and the right part of the picture in turn."""
    rng = np.random.default_rng(seed)
    scene = background(rng)
    heads = []
    with filming(path, FPS) as film:
        for index, face in enumerate(faces):
            for _ in range(round(GAP_S * FPS)):
                film.add(scene)
            place = EDGES["left" if index % 2 else "right"]
            x, y = float(rng.uniform(*place)), float(rng.uniform(330, 750))
            begun = film.length
            boxes = {}
            for number in range(round((BEFORE_S + TURN_S + AFTER_S) * FPS)):
                tilt = tilt_at(number / FPS - BEFORE_S)
                pose = Pose(x, y, height / face.picture.shape[0], tilt)
                boxes[film.length] = true_box(face, pose)
                film.add(lay(scene, face, pose))
            turns = begun + round(BEFORE_S * FPS)
            heads.append(Head(boxes, turns, turns + round(TURN_S * FPS)))
    return heads


def judge_turning(published: Published, heads: Sequence[Head]) -> Kept:
    """How many heads have the id at the end that they had when they began to turn."""
    known = kept = frames = seen = 0
    for head in heads:
        ids = {
            number: found["id"]
            for number, box in head.boxes.items()
            if (found := overlapping(published.get(number, ()), box)) is not None
        }
        before = [one for number, one in ids.items() if number < head.turns]
        after = [one for number, one in ids.items() if number >= head.ends]
        if not before:
            continue
        known += 1
        kept += bool(after) and after[-1] == before[-1]
        frames += head.ends - head.turns
        seen += sum(head.turns <= number < head.ends for number in ids)
    return Kept(len(heads), known, kept, frames, seen)


def measure_turning(program: Program, faces: Sequence[Face], video: Path, *, seed: int) -> Kept:
    """Faces cut close, 300 px high; `video` is written over."""
    heads = film_turning(video, faces, 300.0, seed=seed)
    return judge_turning(program.publish(video), heads)
