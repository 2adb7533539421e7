"""Which faces are found within .8 s of coming into view, and how they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_edge.geometry import iou
from fer_edge.types import EMOTIONS, Box, GrayImage
from measure.wild.faces import Face
from measure.wild.film import Message, Program, Published, filming
from measure.wild.scene import Look, Pose, background, cover, expose, lay, true_box

FPS = 10
SHOWN = 8
"""Frames in which a face is in view: .8 s."""
OVERLAP = 0.3
"""Intersection over union with the true box from which a published box is the face."""
EDGES = {"left": (350, 700), "right": (1220, 1570)}
"""Where the middle of a picture may lie: to the left and to the right in turn, so that what is still
published of the face before never overlaps the next one."""


@dataclass(frozen=True)
class Condition:
    """How faces of one kind are shown."""

    kind: str
    """`close`: cut close, `whole`: with surroundings."""
    name: str
    look: Look
    size: float
    """Pixels: height of the picture where faces are cut close, else width of the face's box."""

    def scale(self, face: Face) -> float:
        """Of the picture."""
        return self.size / (face.picture.shape[0] if self.kind == "close" else face.box.width)


@dataclass(frozen=True, eq=False)
class Shown:
    """A face as it was shown."""

    face: Face
    first: int
    """Number of its first frame."""
    box: Box
    tilt: float
    """Degrees clockwise that the picture was turned."""
    cut: GrayImage
    """Its part of the frame."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What was published of a face."""

    shown: Shown
    message: Message | None
    """Of the last frame in which it was published; None: not found."""

    @property
    def found(self) -> bool:
        """Whether it was published at all."""
        return self.message is not None

    @property
    def right(self) -> bool:
        """Whether the most probable emotion is its label."""
        if self.message is None or self.shown.face.emotion is None:
            return False
        probabilities = self.message["probabilities"]
        return bool(
            max(probabilities, key=probabilities.get) == EMOTIONS[self.shown.face.emotion].value
        )


def conditions(kind: str) -> list[Condition]:
    """All that are measured of a kind of faces."""
    near, far = (300.0, 75.0) if kind == "close" else (220.0, 70.0)
    looks = {f"tilt {tilt}°": Look(tilt=tilt) for tilt in (0, 15, 30, 45)}
    looks["light × .12, noise"] = Look(light=0.12)
    made = [Condition(kind, name, look, near) for name, look in looks.items()]
    what = "high" if kind == "close" else "wide"
    made.append(Condition(kind, f"{far:g} px {what}", Look(), far))
    made.append(Condition(kind, "out of focus, 3 px", Look(blur=3.0), near))
    made.append(Condition(kind, "a third covered", Look(covered=1 / 3), near))
    return made


def film_faces(
    path: Path, faces: Sequence[Face], condition: Condition, *, seed: int, gap: int
) -> list[Shown]:
    """One face after the other, each .8 s in view; `gap` frames without one before each."""
    rng = np.random.default_rng(seed)
    scene = background(rng)
    shown = []
    with filming(path, FPS) as film:
        for index, face in enumerate(faces):
            place = EDGES["left" if index % 2 else "right"]
            # Half of the sides come with each tilt.
            tilt = condition.look.tilt * (1 if index // 2 % 2 else -1)
            x, y = float(rng.uniform(*place)), float(rng.uniform(330, 750))
            pose = Pose(x, y, condition.scale(face), tilt)
            side = ("below", "left", "right")[index % 3]
            laid = lay(scene, cover(face, condition.look.covered, side), pose)
            for _ in range(gap):
                film.add(expose(scene, condition.look, rng))
            box, first = true_box(face, pose), film.length
            for _ in range(SHOWN):
                frame = expose(laid, condition.look, rng)
                film.add(frame)
            shown.append(Shown(face, first, box, tilt, _around(frame, box)))
    return shown


def judge(published: Published, shown: Sequence[Shown]) -> list[Answer]:
    """The last message of each face while it was in view."""
    answers = []
    for one in shown:
        message = None
        for number in range(one.first, one.first + SHOWN):
            message = overlapping(published.get(number, ()), one.box) or message
        answers.append(Answer(one, message))
    return answers


def overlapping(faces: Sequence[Message], box: Box) -> Message | None:
    """The published face that overlaps the box most, and enough."""
    best = max(faces, key=lambda face: iou(Box(**face["box"]), box), default=None)
    return best if best is not None and iou(Box(**best["box"]), box) >= OVERLAP else None


def measure(
    program: Program,
    faces: Sequence[Face],
    condition: Condition,
    video: Path,
    *,
    seed: int,
    gap: int,
) -> list[Answer]:
    """One condition; `video` is written over."""
    shown = film_faces(video, faces, condition, seed=seed, gap=gap)
    return judge(program.publish(video), shown)


def share_found(answers: Sequence[Answer]) -> float:
    """Of all faces."""
    return sum(answer.found for answer in answers) / len(answers)


def share_right(answers: Sequence[Answer]) -> float | None:
    """Of those found that have a label; None without any."""
    labelled = [one for one in answers if one.found and one.shown.face.emotion is not None]
    return sum(one.right for one in labelled) / len(labelled) if labelled else None


def _around(frame: GrayImage, box: Box) -> GrayImage:
    reach = 0.5 * box.width
    left, top = max(0, round(box.x - reach)), max(0, round(box.y - reach))
    right, bottom = round(box.x + box.width + reach), round(box.y + box.height + reach)
    return frame[top:bottom, left:right].copy()
