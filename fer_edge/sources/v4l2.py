"""A USB camera, or any other video4linux device, through OpenCV.

Asked for Motion JPEG and given out undecoded, so that a frame costs a copy of some 200 kB until it
is looked at. OpenCV waits for a frame in whole seconds, and takes that time once per process.
"""

import errno
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import SourceLostError
from fer_edge.quiet import quiet_opencv
from fer_edge.sources._opencv import Capture, LiveStream, fourcc
from fer_edge.sources._pictures import BgrPicture, JpegPicture, YuyvPicture
from fer_edge.sources._timing import Moment, Numbering, at_monotonic, now
from fer_edge.sources._v4l2_controls import Value, apply_controls
from fer_edge.types import Picture, Stream
from fer_edge.video4linux import Ioctl, open_ioctl

log = logging.getLogger(__name__)

ADVICE = {
    errno.ENOENT: "no such device; plug the camera in, or see /dev/v4l/by-id for its name",
    errno.ENODEV: "the device does not answer; plug the camera in again",
    errno.ENXIO: "the device does not answer; plug the camera in again",
    errno.EACCES: "not allowed to open it; add the user to the group video",
    errno.EBUSY: "busy; end the program that uses it (fuser -v DEVICE)",
}


def open_device(device: str) -> Capture:
    """Open the device with OpenCV; `isOpened()` of the capture tells whether that succeeded."""
    cv2 = quiet_opencv()
    capture: Capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    return capture


@dataclass(frozen=True, slots=True)
class V4l2Camera:
    """A video4linux device as a source."""

    live = True

    device: str
    size: tuple[int, int] = (1920, 1080)
    """Width and height asked for, in pixels; the camera may grant others."""
    fps: float = 30.0
    stall_timeout_s: float = 5.0
    """Longest time without a frame, seconds; then the camera is given up."""
    controls: Mapping[str, Value] = field(default_factory=dict)
    """By the names of the configuration; set at every opening."""
    open_capture: Callable[[str], Capture] = field(default=open_device, repr=False)
    open_ioctl: Callable[[str], AbstractContextManager[Ioctl]] = field(
        default=open_ioctl, repr=False
    )
    _complaints: set[str] = field(default_factory=set, repr=False)
    """Logged already: a camera that is reopened often fills no journal."""
    _numbering: Numbering = field(default_factory=Numbering, repr=False)

    @property
    def name(self) -> str:
        """For people."""
        return self.device

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Open the device and agree on a format.

        Raises:
            SourceLostError: not there, busy, not allowed, not a camera.
        """
        seconds = max(1, math.ceil(self.stall_timeout_s))
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(seconds))
        capture = self.open_capture(self.device)
        try:
            if not capture.isOpened():
                raise SourceLostError(f"{self.device}: {explain_failure(self.device)}")
            convert = negotiate(capture, self)
            # After that: a change of the format may reset them.
            self._set_controls()
            yield LiveStream(
                capture,
                convert,
                numbering=self._numbering,
                moment=lambda: buffer_moment(capture),
                stall_timeout_s=self.stall_timeout_s,
                explain_loss=lambda what: f"{self.device}: {explain_loss(self.device, what)}",
            )
        finally:
            capture.release()

    def _set_controls(self) -> None:
        if not self.controls:
            return
        try:
            with self.open_ioctl(self.device) as ioctl:
                complaints = list(apply_controls(ioctl, self.controls))
        except OSError as error:
            complaints = [f"controls cannot be set: {error.strerror}"]
        for complaint in complaints:
            if complaint not in self._complaints:
                self._complaints.add(complaint)
                log.warning("%s: %s", self.device, complaint)


def negotiate(capture: Capture, wanted: V4l2Camera) -> Callable[[NDArray[np.uint8]], Picture]:
    """Set the format; returns what makes a picture of a frame in it."""
    import cv2

    # The format first: each setting restarts the device, and a camera has other sizes in another.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.size[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.size[1])
    capture.set(cv2.CAP_PROP_FPS, wanted.fps)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    granted = fourcc(capture)
    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    log.info("%s: %dx%d %s", wanted.device, width, height, granted)
    if granted in {"MJPG", "JPEG"}:
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        return lambda data: JpegPicture(data.tobytes())
    log.warning("%s: no Motion JPEG, only %s; expect few frames a second", wanted.device, granted)
    if granted == "YUYV":
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        return lambda data: YuyvPicture(data, (width, height))
    capture.set(cv2.CAP_PROP_CONVERT_RGB, 1)
    return BgrPicture


def buffer_moment(capture: Capture) -> Moment:
    """When the kernel took the frame: UVC cameras stamp their buffers with the monotonic clock.

    Drivers that stamp otherwise give a time that cannot be; then it is the time of reading.
    """
    import cv2

    captured_ns = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
    age_ns = time.monotonic_ns() - captured_ns
    return at_monotonic(captured_ns) if 0 <= age_ns < 1_000_000_000 else now()


def explain_failure(device: str) -> str:
    """Why the device cannot be opened, in a few words; OpenCV does not tell."""
    try:
        os.close(os.open(device, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        return ADVICE.get(error.errno or 0, f"{error.strerror}; check the camera")
    return "not a camera, or busy; see /dev/v4l/by-id, and fuser -v for who uses it"


def explain_loss(device: str, what: str) -> str:
    """Why an open camera delivers no more frames, in a few words."""
    if not Path(device).exists():
        return "the camera was unplugged; it is used again when it is back"
    if "closed" in what:
        what = "the camera stopped"
    return f"{what}; check its cable and whether another program uses it"
