"""What every screen can do, and how it fails."""

from typing import Protocol

from fer_edge.errors import SinkError
from fer_edge.overlay.canvas import Image


class ScreenError(SinkError):
    """There is no screen now; it is tried again."""


class ScreenClosedError(SinkError):
    """A person closed the window: it stays closed, and recognition goes on."""


class Screen(Protocol):
    """An open screen. Used from one thread."""

    @property
    def name(self) -> str:
        """For people, one line."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; a window's may change."""

    @property
    def transparent(self) -> bool:
        """Whether the camera's picture is behind it: `show` then wants four channels."""

    def show(self, image: Image) -> None:
        """Show a whole picture of this size at once, channels blue, green, red (opacity).

        Raises:
            ScreenError: the screen has gone, or has another size now: open it again.
            ScreenClosedError: a person closed it.
        """

    def close(self) -> None:
        """Leave the screen as it was."""
