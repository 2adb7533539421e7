"""A window on a desktop, in a process of its own.

When a desktop ends, X11's library ends every process that shows a window, and SDL wants a thread to
itself. So a small program (`_window_process.py`) holds the window and gets pictures through a pipe;
if it goes, the daemon goes on.
"""

import os
import select
import struct
import subprocess
import sys
import time

from fer_edge.overlay.canvas import Image
from fer_edge.overlay.screen import ScreenClosedError, ScreenError

START_S = 15.0
"""Longest wait for the window to appear; importing pygame takes seconds on a slow card."""

PICTURE_S = 3.0
"""Longest wait for the window to take one picture."""

HEADER = struct.Struct("=2I")
"""Width and height of the picture that follows."""


class Window:
    """An open window."""

    transparent = False

    def __init__(self, *, fullscreen: bool = False) -> None:
        """Start the window's process and wait for the window.

        Raises:
            ScreenError: no desktop, or pygame is not installed.
        """
        command = [sys.executable, "-m", "fer_edge.overlay._window_process"]
        command += ["--fullscreen"] if fullscreen else []
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # messages of libraries; the reason comes on standard output
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the daemon, which then closes the window
        )
        self._unread = b""
        self._size: tuple[int, int] | None = None
        pipes = (self._process.stdin, self._process.stdout)
        self._in, self._out = (pipe.fileno() for pipe in pipes if pipe is not None)
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        try:
            self._await_window()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """For people."""
        return "window {}x{}".format(*self.size)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as of the last picture."""
        return self._size or (1, 1)

    def show(self, image: Image) -> None:
        """Hand the picture to the window.

        Raises:
            ScreenError: the desktop has gone, or the window hangs.
            ScreenClosedError: a person closed it.
        """
        self._read_reports()
        height, width = image.shape[:2]
        self._write(memoryview(HEADER.pack(width, height)))
        self._write(memoryview(image.data).cast("B"))

    def close(self) -> None:
        """Close the window."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        # It ends when its pipe does; one that hangs is not waited for.
        try:
            self._process.wait(0.3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _await_window(self) -> None:
        deadline = time.monotonic() + START_S
        while self._size is None:
            left_s = max(0.0, deadline - time.monotonic())
            if not select.select([self._out], [], [], left_s)[0]:
                raise ScreenError(f"window: it did not appear within {START_S:g} s")
            self._read_reports()

    def _read_reports(self) -> None:
        """What the window reports: lines `size W H`, `closed`, `error WHY`."""
        while (data := self._read()) is not None:
            if not data:
                raise ScreenError("window: the desktop has gone")
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                word, _, rest = line.decode().partition(" ")
                if word == "size":
                    width, height = rest.split()
                    self._size = (int(width), int(height))
                elif word == "closed":
                    raise ScreenClosedError("window: closed; recognition goes on without it")
                else:
                    raise ScreenError(f"window: {rest}")

    def _read(self) -> bytes | None:
        try:
            return os.read(self._out, 4096)
        except BlockingIOError:
            return None

    def _write(self, data: memoryview) -> None:
        deadline = time.monotonic() + PICTURE_S
        while data:
            if not select.select([], [self._in], [], max(0.0, deadline - time.monotonic()))[1]:
                raise ScreenError(f"window: took no picture for {PICTURE_S:g} s")
            try:
                data = data[os.write(self._in, data) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                self._read_reports()
                raise ScreenError("window: the desktop has gone") from None
