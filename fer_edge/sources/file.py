"""A video file, at its own pace or as quickly as it is read."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fer_edge.errors import SourceError
from fer_edge.sources._opencv import Capture, open_ffmpeg
from fer_edge.sources._pictures import BgrPicture
from fer_edge.sources._timing import Numbering, Pacer
from fer_edge.types import Frame, Stream

log = logging.getLogger(__name__)

TIMEOUT_S = 30.0
"""For one frame of a file on a slow card or network share."""


@dataclass(frozen=True, slots=True)
class VideoFile:
    """A recording as a source. FFmpeg turns it upright where its metadata say so."""

    live = False

    path: Path
    fast: bool = False
    """Frames at once instead of at their recorded times."""
    loop: bool = False
    """Begin again at the end."""
    _numbering: Numbering = field(default_factory=Numbering, repr=False)

    @property
    def name(self) -> str:
        """For people."""
        return str(self.path)

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Begin at the first frame.

        Raises:
            SourceError: no such file, empty, or not a video that FFmpeg can read.
        """
        stream = _VideoStream(self.path, Pacer(fast=self.fast), self._numbering, loop=self.loop)
        try:
            yield stream
        finally:
            stream.close()


def open_video(path: Path) -> Capture:
    """The file, opened.

    Raises:
        SourceError: it cannot be.
    """
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}; check the path and who may read it") from None
    if empty:
        raise SourceError(f"{path}: is empty; record or copy it again")
    try:
        str(path).encode()
    except UnicodeEncodeError:
        # OpenCV would crash.
        raise SourceError(f"{str(path)!a}: the name is not UTF-8; rename it") from None
    # An absolute path cannot be taken for an address, whatever the file is called.
    capture = open_ffmpeg(str(path.absolute()), open_timeout_s=TIMEOUT_S, read_timeout_s=TIMEOUT_S)
    if not capture.isOpened():
        raise SourceError(
            f"{path}: not a video that FFmpeg can read; try to convert it with: ffmpeg -i IN OUT.mp4"
        )
    return capture


class _VideoStream:
    def __init__(self, path: Path, pacer: Pacer, numbering: Numbering, *, loop: bool) -> None:
        self._path = path
        self._pacer = pacer
        self._numbering = numbering
        self._loop = loop
        self._capture = open_video(path)
        self._offset_s = 0.0
        """How long the earlier rounds of a loop took."""
        self._position_s = 0.0
        self._step_s = _frame_interval_s(self._capture)
        self._count = 0

    def read(self) -> Frame | None:
        image = self._next_image()
        if image is None:
            if not self._loop:
                return None
            self._rewind()
            image = self._next_image()
            if image is None:
                raise SourceError(f"{self._path}: no frame left on the second round")
        moment = self._pacer.wait(self._offset_s + self._position_s)
        return self._numbering.frame(BgrPicture(image), moment)

    def close(self) -> None:
        self._capture.release()

    def _next_image(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
        import cv2

        ok, image = self._capture.read()
        if not ok or image is None:
            self._explain_end()
            return None
        # Time stamps of broken files stand still or jump back; time here never does.
        position_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._count and position_s <= self._position_s:
            position_s = self._position_s + self._step_s
        self._position_s = position_s
        self._count += 1
        return image

    def _explain_end(self) -> None:
        import cv2

        if not self._count:
            raise SourceError(f"{self._path}: a video in which FFmpeg can decode no frame")
        expected = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        # The count is an estimate from duration and rate where the container has none.
        if self._count < 0.95 * expected - 2:
            log.warning(
                "%s: breaks off after %d of about %d frames", self._path, self._count, expected
            )

    def _rewind(self) -> None:
        self.close()
        self._offset_s += self._position_s + self._step_s
        self._capture = open_video(self._path)
        self._position_s = 0.0
        self._count = 0


def _frame_interval_s(capture: Capture) -> float:
    import cv2

    rate = capture.get(cv2.CAP_PROP_FPS)
    return 1 / rate if 1 <= rate <= 1000 else 1 / 30
