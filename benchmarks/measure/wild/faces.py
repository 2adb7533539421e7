"""Pictures with one face each, and where it is in them.

The reference box is YuNet's on the upright picture, as the project's own detector squares it: where the
network's crop should lie. Pictures in which it finds no face stand for a face that fills them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fer_edge.config import YuNetDetector
from fer_edge.sources._pictures import GrayPicture
from fer_edge.types import Box, Detector, GrayImage, Point
from fer_edge.vision.detectors import open_detector

CLIP_MOMENTS = {
    "single_face.mp4": (0.2, 0.9, 1.8),
    "face_noface.mov": (0.3, 1.0),
    "noface_face.mov": (4.0, 5.5),
}
"""Seconds at which a clip shows a face that looks into the camera."""
SURROUNDINGS = (0.6, 0.9)
"""How much a whole picture shows on each side of the face, in sides of its box."""
IMAGE_FILES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, eq=False)
class Face:
    """A picture with one face."""

    name: str
    picture: GrayImage
    box: Box
    """Square about the face, in pixels of the picture."""
    angle: float = 0.0
    """Tilt of the head in the picture itself, degrees clockwise."""
    landmarks: tuple[Point, ...] = ()
    """Right eye, left eye, nose, corners of the mouth, where they are known."""
    emotion: int | None = None
    """Its label, an index of `EMOTIONS`."""


def reference_detector() -> Detector:
    """What says where the face of a picture is."""
    return open_detector(YuNetDetector(type="yunet", max_tilt_deg=0, min_score=0.5))


def face_in(
    picture: GrayImage, name: str, detector: Detector, *, emotion: int | None = None
) -> Face | None:
    """The largest face of a picture, or None."""
    height, width = picture.shape
    # A face that fills its picture is found with a border round it.
    border = max(height, width) // 3
    framed = cv2.copyMakeBorder(picture, *(border,) * 4, cv2.BORDER_REPLICATE)
    found = detector.search(GrayPicture(framed.astype(np.uint8, copy=False)))
    if not found:
        return None
    best = max(found, key=lambda one: one.box.width)
    box = Box(best.box.x - border, best.box.y - border, best.box.width, best.box.height)
    landmarks = tuple((x - border, y - border) for x, y in best.landmarks)
    return Face(name, picture, box, best.angle, landmarks, emotion)


def close_faces(data: Path, limit: int, seed: int) -> list[Face]:
    """Web pictures from `wild.npz`, each filled by a face, labelled; drawn by the seed."""
    stored = np.load(data / "wild.npz")
    rows = np.random.default_rng(seed).permutation(len(stored["emotion"]))[:limit]
    blob, offsets = stored["blob"], stored["offsets"]
    detector = reference_detector()
    made = []
    for row in map(int, rows):
        picture = _gray(cv2.imdecode(blob[offsets[row] : offsets[row + 1]], cv2.IMREAD_GRAYSCALE))
        emotion, name = int(stored["emotion"][row]), f"wild.npz {row}"
        found = face_in(picture, name, detector, emotion=emotion)
        made.append(found or Face(name, picture, _middle(picture), emotion=emotion))
    return made


def whole_faces(data: Path, folder: Path | None) -> list[Face]:
    """Faces with their surroundings: portraits that packages ship, frames of the clips, a folder's."""
    detector = reference_detector()
    found = (face_in(one, name, detector) for name, one in _whole_pictures(data, folder))
    return [with_surroundings(face, reach) for face in found if face for reach in SURROUNDINGS]


def with_surroundings(face: Face, reach: float) -> Face:
    """The part of the picture that shows the face and `reach` sides of its box round it."""
    box = face.box
    left, top = (max(0, round(edge - reach * box.width)) for edge in (box.x, box.y))
    right, bottom = (round(edge + (1 + reach) * box.width) for edge in (box.x, box.y))
    return Face(
        face.name,
        face.picture[top:bottom, left:right],
        Box(box.x - left, box.y - top, box.width, box.height),
        face.angle,
        tuple((x - left, y - top) for x, y in face.landmarks),
        face.emotion,
    )


def _whole_pictures(data: Path, folder: Path | None) -> Iterator[tuple[str, GrayImage]]:
    import skimage.data
    from matplotlib.cbook import get_sample_data

    yield "skimage astronaut", _gray(cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2GRAY))
    with get_sample_data("grace_hopper.jpg", asfileobj=True) as file:
        encoded = np.frombuffer(file.read(), np.uint8)
    yield "matplotlib grace_hopper", _gray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))
    for clip, seconds in CLIP_MOMENTS.items():
        yield from _frames(data / "clips" / clip, seconds)
    for file in sorted(folder.iterdir()) if folder else ():
        if file.suffix.lower() in IMAGE_FILES:
            yield file.name, _gray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE))


def _frames(clip: Path, seconds: Iterable[float]) -> Iterator[tuple[str, GrayImage]]:
    capture = cv2.VideoCapture(str(clip))
    for second in seconds:
        capture.set(cv2.CAP_PROP_POS_MSEC, second * 1000)
        ok, frame = capture.read()
        if ok:
            yield f"{clip.name} {second} s", _gray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))


def _middle(picture: GrayImage) -> Box:
    height, width = picture.shape
    side = float(min(height, width))
    return Box((width - side) / 2, (height - side) / 2, side, side)


def _gray(picture: object) -> GrayImage:
    if picture is None:
        raise SystemExit("benchmarks/wild: a picture cannot be decoded; fetch the data again")
    return np.asarray(picture, np.uint8)
