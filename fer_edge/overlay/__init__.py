"""What people see: the camera's picture with what is known of its faces, on a screen."""

from fer_edge.overlay._open import screen_opener
from fer_edge.overlay.drm import CameraSlot
from fer_edge.overlay.screen import Screen, ScreenClosedError, ScreenError

__all__ = ["CameraSlot", "Screen", "ScreenClosedError", "ScreenError", "screen_opener"]
