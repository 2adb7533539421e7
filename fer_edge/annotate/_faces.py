"""Which faces there are to label, in which order, and what is shown of each."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fer_edge.annotate._store import Store, StoredFace
from fer_edge.config import ViolaJonesDetector
from fer_edge.errors import ConfigError, FrameError
from fer_edge.preprocess import crop_face
from fer_edge.progress import progress_bars
from fer_edge.sources.images import picture_files, read_picture, readable
from fer_edge.types import BgrImage, Box
from fer_edge.vision.detectors import open_detector

log = logging.getLogger(__name__)

SURROUNDINGS = 0.4
"""Share of the face's box that is shown on each side of it."""
LARGEST_PX = 800
"""Longer side of what is sent to the page."""


def find_faces(store: Store, folder: Path, *, whole: bool) -> list[StoredFace]:
    """The faces of the folder's pictures; those of new pictures are looked for and kept.

    Raises:
        SourceError: there is no picture, or no such folder.
        ConfigError: no picture can be read or has a face, or the folder was begun the other way.
    """
    files = {readable(file.name): file for file in picture_files(folder)}
    way = "whole pictures" if whole else "faces that are found"
    begun = store.settle("shown", way)
    if begun != way:
        remedy = "leave --whole out" if whole else "add --whole"
        raise ConfigError(f"{folder}: was begun with {begun}; {remedy}")
    searched = store.searched()
    _search(store, [file for name, file in files.items() if name not in searched], whole)
    faces = [face for face in store.faces() if face.file in files]
    if not faces:
        raise ConfigError(
            f"{folder}: no picture in it can be read and has a face that is found; "
            "--whole shows pictures as they are"
        )
    return faces


def _search(store: Store, files: Sequence[Path], whole: bool) -> None:
    detector = open_detector(ViolaJonesDetector())
    without = 0
    with progress_bars() as add_bar:
        advance = add_bar("faces", len(files))
        for file in files:
            advance()
            picture = read_picture(file)
            if picture is None:  # it was said; it may be mended before the next start
                continue
            found = [None] if whole else list(detector.search(picture, turn=None))
            without += not found
            store.add(readable(file.name), found)
    if without:
        log.warning("no face found in %d pictures: left out", without)


def shuffled(faces: Sequence[StoredFace], annotator: str) -> list[StoredFace]:
    """An order of the annotator's own, the same at each start, also when pictures are added."""
    return sorted(
        faces,
        key=lambda face: hashlib.sha256(
            f"{annotator}\0{face.file}\0{face.number}".encode()
        ).digest(),
    )


def shown(folder: Path, face: StoredFace) -> BgrImage:
    """The face with its surroundings, upright, [height, width, 3].

    Raises:
        FrameError: the picture cannot be read.
    """
    import cv2

    picture = read_picture(folder / face.file)
    if picture is None:
        raise FrameError(f"{face.file}: cannot be read any more; put the picture back or skip it")
    image = picture.bgr()
    if face.box is not None:
        box = Box(*face.box)
        planes = [
            crop_face(
                np.ascontiguousarray(image[:, :, i]), box, margin=SURROUNDINGS, angle=face.angle
            )
            for i in range(3)
        ]
        image = np.dstack(planes)
    factor = LARGEST_PX / max(image.shape[:2])
    if factor < 1:
        image = np.asarray(
            cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
        )
    return image
