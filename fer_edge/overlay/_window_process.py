"""The window itself: SDL by pygame. Pictures come on standard input, events go to standard output.

Esc, q or the close button closes it; f or F11 fills the screen and back.
"""

import os
import select
import sys
import warnings
from typing import Any

from fer_edge.overlay.window import HEADER

SHARE = 0.8
"""Share of the desktop's width that a window takes at first, at 16 to 9."""

POLL_S = 0.05
"""How often events are looked for while no picture comes."""


def main() -> None:
    """Show pictures until standard input ends or somebody closes the window."""
    try:
        pygame = _import_pygame()
        pygame.display.init()
        _refuse_invisible_driver(pygame)
        window = PictureWindow(pygame, fullscreen="--fullscreen" in sys.argv)
    except ImportError:
        _report("error pygame is not installed; pip install 'fer-edge[window]'")
    except Exception as error:  # noqa: BLE001 - pygame.error, which cannot be named without pygame
        _report(f"error no desktop ({error}); check DISPLAY or WAYLAND_DISPLAY")
    else:
        _run(window)


def _import_pygame() -> Any:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    # The daemon handles signals, and a television is to stay on.
    os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pygame 2.6 asks for pkg_resources, which is deprecated
        import pygame
    return pygame


def _refuse_invisible_driver(pygame: Any) -> None:
    """Raise OSError where SDL, without a desktop, has chosen a driver that shows nothing."""
    if pygame.display.get_driver() in {"dummy", "offscreen", "evdev"}:
        raise OSError("none answers")


class PictureWindow:
    """The window and what it shows."""

    def __init__(self, pygame: Any, *, fullscreen: bool) -> None:
        self._pygame = pygame
        self._fullscreen = fullscreen
        self._desktop = pygame.display.get_desktop_sizes()[0]
        pygame.display.set_caption("fer-edge")
        self._open()

    def handle_events(self) -> bool:
        """Handle what has happened; False once a person has closed the window."""
        pygame = self._pygame
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                return False
            if event.type == pygame.VIDEORESIZE:
                self._tell_size()
            if event.type == pygame.KEYDOWN:
                if event.key in {pygame.K_ESCAPE, pygame.K_q}:
                    return False
                if event.key in {pygame.K_f, pygame.K_F11}:
                    self._fullscreen = not self._fullscreen
                    self._open()
        return True

    def show(self, data: bytes, size: tuple[int, int]) -> None:
        """A whole picture at once; one that was drawn for another size is left out."""
        surface = self._pygame.display.get_surface()
        if surface.get_size() == size:
            surface.blit(self._pygame.image.frombuffer(data, size, "BGR"), (0, 0))
            self._pygame.display.flip()

    def _open(self) -> None:
        pygame = self._pygame
        width, height = self._desktop
        if self._fullscreen:
            pygame.display.set_mode((width, height), pygame.FULLSCREEN)
        else:
            wide = min(round(width * SHARE), round(height * SHARE * 16 / 9))
            pygame.display.set_mode((wide, wide * 9 // 16), pygame.RESIZABLE)
        pygame.mouse.set_visible(not self._fullscreen)
        self._tell_size()

    def _tell_size(self) -> None:
        _report("size {} {}".format(*self._pygame.display.get_surface().get_size()))


def _run(window: PictureWindow) -> None:
    # Without a buffer of Python's, in which `select` would not see what waits.
    stream = os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    while True:
        if not window.handle_events():
            _report("closed")
            return
        if select.select([stream], [], [], POLL_S)[0]:
            header = _read(stream, HEADER.size)
            if not header:
                return
            width, height = HEADER.unpack(header)
            data = _read(stream, width * height * 3)
            if not data:
                return
            window.show(bytes(data), (width, height))


def _read(stream: Any, size: int) -> bytearray:
    """Read `size` bytes; none at the end."""
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        count = stream.readinto(view)
        if not count:
            return bytearray()
        view = view[count:]
    return buffer


def _report(line: str) -> None:
    sys.stdout.write(" ".join(line.split()) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
