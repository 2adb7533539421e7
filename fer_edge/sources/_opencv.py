"""OpenCV's video capture behind the few methods that are used."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import FrameError, SourceLostError
from fer_edge.quiet import quiet_opencv
from fer_edge.sources._timing import Moment, Numbering
from fer_edge.types import Frame, Picture

log = logging.getLogger(__name__)


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that sources use; `fakes.FakeCapture` is another."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether there is something to read from."""

    def get(self, propId: int, /) -> float:  # noqa: N803 - OpenCV's name
        """A property, 0 when unknown."""

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803 - OpenCV's name
        """Whether the property was taken."""

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        """The next frame; False and None when there is none."""

    def release(self) -> None:
        """Close it."""


def open_ffmpeg(
    url: str, *, open_timeout_s: float, read_timeout_s: float, threads: int | None = None
) -> Capture:
    """Open a file or an address with FFmpeg; `isOpened()` of the capture tells whether that succeeded.

    Each of the decoder's `threads` after the first delays H.264 by a frame; None: as many as cores.
    """
    cv2 = quiet_opencv()
    options = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(open_timeout_s * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(read_timeout_s * 1000),
    ]
    if threads is not None:
        options += [cv2.CAP_PROP_N_THREADS, threads]
    capture: Capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, options)
    return capture


def fourcc(capture: Capture) -> str:
    """Codec or pixel format in four characters, such as `MJPG`."""
    import cv2

    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    return code.to_bytes(4, "little", signed=code < 0).decode("ascii", "replace").strip("\0")


class LiveStream:
    """Frames of a camera behind OpenCV; `convert` makes a picture of what OpenCV hands out."""

    def __init__(
        self,
        capture: Capture,
        convert: Callable[[NDArray[np.uint8]], Picture],
        *,
        numbering: Numbering,
        moment: Callable[[], Moment],
        stall_timeout_s: float,
        explain_loss: Callable[[str], str],
    ) -> None:
        self._capture = capture
        self._convert = convert
        self._numbering = numbering
        self._moment = moment
        self._stall_timeout_s = stall_timeout_s
        self._explain_loss = explain_loss
        """Turns what happened into the error's line."""
        numbering.reopened()

    def read(self) -> Frame:
        """The next frame whose header makes sense; cameras send a few broken ones at the start.

        Raises:
            SourceLostError: none came within the timeout, or the camera is gone.
        """
        started = time.monotonic()
        while time.monotonic() - started < self._stall_timeout_s:
            ok, data = self._capture.read()
            moment = self._moment()
            if not ok or data is None:
                break
            try:
                return self._numbering.frame(self._convert(data), moment)
            except FrameError as error:
                log.debug("%s", error)
        if time.monotonic() - started >= 0.9 * self._stall_timeout_s:
            raise SourceLostError(self._explain_loss(f"no picture for {self._stall_timeout_s:g} s"))
        raise SourceLostError(self._explain_loss("the camera closed the connection"))
