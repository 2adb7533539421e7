"""A folder of pictures, one after the other."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fer_edge.errors import SourceError
from fer_edge.sources._opencv import quiet_opencv
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
class ImageFolder:
    """Pictures as a source, in natural order of their names: 2.jpg before 10.jpg."""

    path: Path
    fps: float = 1.0
    fast: bool = False
    """Pictures at once instead of at `fps`."""
    _numbering: Numbering = field(default_factory=Numbering, repr=False)

    @property
    def name(self) -> str:
        """For people."""
        return str(self.path)

    @property
    def live(self) -> bool:
        """A folder ends."""
        return False

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Begin at the first picture.

        Raises:
            SourceError: no such folder, or no picture in it.
        """
        yield _FolderStream(self, picture_files(self.path), Pacer(fast=self.fast))

    def frame(self, picture: BgrPicture, index: int, pacer: Pacer) -> Frame:
        """Picture number `index` of those that can be read, when it is due."""
        return self._numbering.frame(picture, pacer.wait(index / self.fps))


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


class _FolderStream:
    def __init__(self, folder: ImageFolder, files: list[Path], pacer: Pacer) -> None:
        self._folder = folder
        self._files = iter(files)
        self._pacer = pacer
        self._index = 0

    def read(self) -> Frame | None:
        for file in self._files:
            picture = read_picture(file)
            if picture is not None:
                self._index += 1
                return self._folder.frame(picture, self._index - 1, self._pacer)
        if not self._index:
            raise SourceError(f"{self._folder.path}: none of its pictures can be decoded")
        return None
