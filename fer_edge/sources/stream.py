"""A network camera: MJPEG over HTTP, read by us; RTSP, and other videos over HTTP, through OpenCV's FFmpeg.

MJPEG is taken as one JPEG each: a frame is decoded only if the pipeline has time for it, and then to
grey. No buffer builds up as long as the stream is read at its own rate, which the capture thread does:
it waits for nobody.

https and rtsps encrypt, but any certificate is taken, by us as by FFmpeg as OpenCV opens it (tried with one signed
by itself): on a network where somebody may pretend to be the camera, use a tunnel.
"""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import SourceLostError
from fer_edge.sources._address import (
    NO_ANSWER,
    PICTURES,
    address_with_password,
    explain_error,
    explain_failure,
    no_pictures,
    printable_address,
)
from fer_edge.sources._http import Answer, MjpegStream, ask
from fer_edge.sources._opencv import Capture, LiveStream, fourcc, open_ffmpeg
from fer_edge.sources._pictures import BgrPicture, JpegPicture
from fer_edge.sources._timing import Numbering, now
from fer_edge.types import Picture, Stream

DECODER_THREADS = 2
"""For H.264: one frame of delay, and a core in reserve for the pictures that are hard to decode."""
RAW_PACKETS = -1.0
"""Value of CAP_PROP_FORMAT that makes FFmpeg hand out packets undecoded."""


@dataclass(frozen=True, slots=True)
class NetworkStream:
    """A network camera as a source; `url` holds no password."""

    live = True

    url: str = field(repr=False)
    username: str | None = None
    read_password: Callable[[], str | None] = field(default=lambda: None, repr=False)
    """Called at every opening, so that a changed password needs no restart."""
    open_timeout_s: float = 5.0
    stall_timeout_s: float = 5.0
    """Longest time without a frame, seconds; then the camera is given up."""
    _numbering: Numbering = field(default_factory=Numbering, repr=False)

    @property
    def name(self) -> str:
        """The address, without user, password and query."""
        return printable_address(self.url)

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Connect.

        Raises:
            SourceLostError: unreachable, refused, not a stream of pictures.
            ConfigError: the password cannot be read.
        """
        password = self.read_password()
        if self.url.startswith(("http://", "https://")):
            with ExitStack() as closing:
                answer = self._ask(closing, password)
                if answer.is_mjpeg:
                    yield MjpegStream(
                        answer,
                        numbering=self._numbering,
                        stall_timeout_s=self.stall_timeout_s,
                        name=self.name,
                    )
                    return
        with self._open_with_ffmpeg(password) as stream:
            yield stream

    def _ask(self, closing: ExitStack, password: str | None) -> Answer:
        try:
            answer = closing.enter_context(
                ask(self.url, self.username, password, timeout_s=self.open_timeout_s)
            )
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise SourceLostError(f"{self.name}: {explain_error(self.url, error)}") from None
        if not answer.content.startswith(PICTURES):
            raise SourceLostError(f"{self.name}: {no_pictures(answer.content)}")
        return answer

    @contextmanager
    def _open_with_ffmpeg(self, password: str | None) -> Iterator[Stream]:
        address = address_with_password(self.url, self.username, password)
        started = time.monotonic()
        capture = open_ffmpeg(
            address,
            open_timeout_s=self.open_timeout_s,
            read_timeout_s=self.stall_timeout_s,
            threads=DECODER_THREADS,
        )
        try:
            if not capture.isOpened():
                # One that kept FFmpeg waiting is not asked again: the attempt would take twice as long.
                left_s = self.open_timeout_s - (time.monotonic() - started)
                reason = explain_failure(self.url, timeout_s=left_s) if left_s > 0 else NO_ANSWER
                raise SourceLostError(f"{self.name}: {reason}")
            yield self._stream(capture)
        finally:
            capture.release()

    def _stream(self, capture: Capture) -> LiveStream:
        import cv2

        # Before the first frame is grabbed, or it is not taken.
        raw = fourcc(capture) == "MJPG" and capture.set(cv2.CAP_PROP_FORMAT, RAW_PACKETS)
        return LiveStream(
            capture,
            _jpeg if raw else BgrPicture,
            numbering=self._numbering,
            moment=now,
            stall_timeout_s=self.stall_timeout_s,
            explain_loss=lambda what: f"{self.name}: {what}",
        )


def _jpeg(packet: NDArray[np.uint8]) -> Picture:
    return JpegPicture(packet.tobytes())
