"""The annotated copy of a video, without sound.

H.264 by ffmpeg where that is installed, which every browser plays; else MPEG-4 by OpenCV. Either has
a constant frame rate, so a frame is repeated or left out where the original's varies: each is shown
at its own time, and the copy is as long as the original.
"""

import contextlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from fer_edge.errors import SinkError
from fer_edge.overlay.animate import Animator, Arranger
from fer_edge.overlay.canvas import Image
from fer_edge.overlay.draw import draw
from fer_edge.overlay.style import Style
from fer_edge.overlay.text import Typesetter
from fer_edge.quiet import quiet_opencv
from fer_edge.types import BgrImage, Result

MAX_FPS = 60.0
"""Nobody would see a difference above it."""


class Encoder(Protocol):
    """Writes frames of one size."""

    def write(self, image: Image) -> None:
        """One more frame."""

    def close(self) -> None:
        """Finish the file.

        Raises:
            SinkError: it could not be written.
        """


class AnnotatedVideo:
    """Draws on every frame what a screen would show, and shows it at the frame's own time."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        """Begin a video; `size` is the first frame's, and later ones are made to fit into it."""
        self._fps = min(fps, MAX_FPS)
        screen = (size[0] // 2 * 2, size[1] // 2 * 2)
        self._style = Style(screen, Typesetter())
        self._animator, self._arranger = Animator(), Arranger()
        self._encoder = open_encoder(path, screen, self._fps)
        self._last: Image | None = None
        self._written = 0

    def add(self, picture: BgrImage, result: Result, time_s: float) -> None:
        """One frame that is shown from `time_s` on."""
        now_ns = round(time_s * 1e9)
        self._animator.update(replace(result, stamp=replace(result.stamp, captured_ns=now_ns)))
        scene = self._animator.scene()
        placements, labels = self._arranger.arrange(scene, self._style, now_ns)
        self._fill(time_s)
        self._last = draw(picture, scene, placements, self._style, labels)

    def close(self) -> None:
        """Write the last frame and finish the file.

        Raises:
            SinkError: the video could not be written.
        """
        if self._last is not None:
            self._encoder.write(self._last)
        self._encoder.close()

    def abort(self) -> None:
        """Finish, whatever becomes of the file."""
        with contextlib.suppress(SinkError):
            self._encoder.close()

    def _fill(self, until_s: float) -> None:
        """Repeat the last frame until this time."""
        while self._last is not None and self._written < round(until_s * self._fps):
            self._encoder.write(self._last)
            self._written += 1


def open_encoder(path: Path, size: tuple[int, int], fps: float) -> Encoder:
    """The best encoder there is."""
    return Ffmpeg(path, size, fps) if shutil.which("ffmpeg") else OpenCv(path, size, fps)


class Ffmpeg:
    """H.264 by the program ffmpeg."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24"]
        command += ["-s", "{}x{}".format(*size), "-r", f"{fps:.6f}", "-i", "-"]
        command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-pix_fmt", "yuv420p"]
        command += ["-movflags", "+faststart", "-f", "mp4", str(path.absolute())]
        self._process = subprocess.Popen(  # noqa: S603 - a fixed program and our own arguments
            command,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us; ffmpeg would fail first
        )

    def write(self, image: Image) -> None:
        """One more frame.

        Raises:
            SinkError: ffmpeg has ended.
        """
        stdin = self._process.stdin
        if stdin is None:
            raise AssertionError("opened with a pipe")
        try:
            stdin.write(np.ascontiguousarray(image).data)
        except BrokenPipeError:
            self.close()

    def close(self) -> None:
        """Finish the file.

        Raises:
            SinkError: ffmpeg could not write it.
        """
        _, errors = self._process.communicate()
        if self._process.returncode:
            lines = errors.decode(errors="replace").strip().splitlines()
            raise SinkError(f"--video: ffmpeg failed: {lines[-1] if lines else 'no reason given'}")


class OpenCv:
    """MPEG-4 Part 2 by OpenCV; needs nothing else, but few browsers play it."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._cv2 = quiet_opencv()
        self._path = path
        self._writer = self._cv2.VideoWriter(
            str(path.absolute()), self._cv2.VideoWriter.fourcc(*"mp4v"), fps, size
        )
        self._written = 0
        if not self._writer.isOpened():
            raise SinkError("--video: OpenCV cannot write MPEG-4; install ffmpeg")

    def write(self, image: Image) -> None:
        """One more frame."""
        self._writer.write(image)
        self._written += 1

    def close(self) -> None:
        """Finish the file, and read it back: OpenCV is silent about a full disk.

        Raises:
            SinkError: frames are missing.
        """
        self._writer.release()
        readable = self._count_readable()
        if readable != self._written:
            free_mb = shutil.disk_usage(self._path.parent).free // 1_000_000
            raise SinkError(
                f"--video: OpenCV wrote {readable} of {self._written} frames; is the disk full? "
                f"{free_mb} MB are free"
            )

    def _count_readable(self) -> int:
        """How many frames can be read: all that the index lists if the last can be read, else none."""
        capture = self._cv2.VideoCapture(str(self._path.absolute()))
        try:
            count = int(capture.get(self._cv2.CAP_PROP_FRAME_COUNT))
            if count <= 0:
                return 0
            capture.set(self._cv2.CAP_PROP_POS_FRAMES, count - 1)
            return count if capture.grab() else 0
        finally:
            capture.release()
