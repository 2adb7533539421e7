"""Picture files, one after the other."""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fer_edge.errors import SourceError
from fer_edge.quiet import quiet_opencv
from fer_edge.sources._pictures import BgrPicture
from fer_edge.sources._timing import Numbering, Pacer
from fer_edge.types import Frame, Stream

log = logging.getLogger(__name__)

SUFFIXES = frozenset(
    {".avif", ".bmp", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif"}
    | {".tiff", ".webp"}
)
"""What OpenCV's wheels decode and a camera or an editor writes."""


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """The pictures in a folder as a source; one that cannot be decoded is left out with a warning."""

    live = False

    path: Path
    """The folder, for people; also where the pictures are, unless `files` names them."""
    fps: float = 1.0
    fast: bool = False
    """Pictures at once instead of at `fps`."""
    files: tuple[Path, ...] | None = None
    """These, in this order; None: all in the folder, in natural order: 2.jpg before 10.jpg."""
    _numbering: Numbering = field(default_factory=Numbering, repr=False)

    @property
    def name(self) -> str:
        """For people."""
        return str(self.path)

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Begin at the first picture.

        Raises:
            SourceError: no such folder, or no picture in it.
        """
        files = picture_files(self.path) if self.files is None else self.files
        yield _ImageStream(self, files, Pacer(fast=self.fast))

    def frame(self, picture: BgrPicture, file: Path, index: int, pacer: Pacer) -> Frame:
        """Picture number `index` of those that can be read, when it is due."""
        moment = pacer.wait(index / self.fps)
        return self._numbering.frame(picture, moment, file=readable(file.name))


def readable(name: str) -> str:
    """A file's name as UTF-8, whatever an old disk has in it."""
    return os.fsencode(name).decode(errors="replace")


def picture_files(folder: Path) -> list[Path]:
    """The pictures in a folder, not below it, in natural order.

    Raises:
        SourceError: there are none, or the folder cannot be read.
    """
    try:
        files = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
    except OSError as error:
        raise SourceError(f"{folder}: {error.strerror}; give a folder of pictures") from None
    if not files:
        raise SourceError(
            f"{folder}: no picture in it; put JPEG, PNG, WebP, TIFF or BMP files there"
        )
    return sorted(files, key=_natural)


def _natural(file: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", file.name.casefold())
    return [(0, int(p), p) if p.isdecimal() else (1, 0, p) for p in parts]


def read_picture(file: Path) -> BgrPicture | None:
    """The picture, upright; None, with a warning, if it cannot be decoded."""
    cv2 = quiet_opencv()
    try:
        image = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        reason = "not a picture that OpenCV can decode"
    except OSError as error:
        image, reason = None, str(error.strerror)
    except cv2.error:  # an empty file, or more pixels than OpenCV takes
        image, reason = None, "empty or too large"
    if image is None:
        log.warning("%s: %s; skipped", file, reason)
        return None
    return BgrPicture(image)


class _ImageStream:
    def __init__(self, source: ImageFiles, files: Sequence[Path], pacer: Pacer) -> None:
        self._source = source
        self._files = iter(files)
        self._pacer = pacer
        self._index = 0

    def read(self) -> Frame | None:
        for file in self._files:
            picture = read_picture(file)
            if picture is not None:
                self._index += 1
                return self._source.frame(picture, file, self._index - 1, self._pacer)
        if not self._index:
            raise SourceError(f"{self._source.path}: none of its pictures can be decoded")
        return None
