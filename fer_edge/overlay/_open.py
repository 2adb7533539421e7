"""From the configuration to a screen; `auto` looks what there is."""

import importlib.util
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, assert_never

from fer_edge.config import OverlayConfig
from fer_edge.errors import ConfigError
from fer_edge.overlay.drm import SYSFS, CameraSlot, connected_resolution
from fer_edge.overlay.screen import Screen, ScreenError

log = logging.getLogger(__name__)

Kind = Literal["drm", "framebuffer", "window"]


def screen_opener(
    config: OverlayConfig, slot: CameraSlot, *, environ: Mapping[str, str] = os.environ
) -> Callable[[], Screen]:
    """What opens the configured screen, now and whenever it was lost.

    Raises:
        ConfigError: a window without pygame: no waiting would help.
    """
    if config.screen == "window" and importlib.util.find_spec("pygame") is None:
        raise ConfigError(
            "overlay.screen = 'window': pygame is not installed; pip install 'fer-edge[window]'"
        )

    def open_screen() -> Screen:
        kind = config.screen
        if kind == "none":
            raise AssertionError("nobody opens no screen")
        if kind == "auto":
            kind = choose(
                desktop=has_desktop(environ),
                camera=slot.camera is not None and config.privacy == "camera",
                connected=connected_resolution(SYSFS) is not None,
                device=os.access(config.device, os.W_OK),
            )
        return _open(kind, config, slot)

    return open_screen


def choose(*, desktop: bool, camera: bool, connected: bool, device: bool) -> Kind:
    """The best screen there is.

    Args:
        desktop: One is running, and pygame is installed.
        camera: A CSI camera is open, whose picture may be shown.
        connected: The kernel says that a screen is plugged in.
        device: The frame buffer may be written.

    Raises:
        ScreenError: there is none.
    """
    if desktop:
        return "window"
    if camera and connected:
        return "drm"
    if device:
        return "framebuffer"
    raise ScreenError(
        "no screen: no desktop with pygame (extra window), no CSI camera with a screen, "
        "no frame buffer to write"
    )


def has_desktop(environ: Mapping[str, str]) -> bool:
    """Whether a desktop is there and pygame can use it."""
    named = environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY")
    return bool(named) and importlib.util.find_spec("pygame") is not None


def _open(kind: Kind, config: OverlayConfig, slot: CameraSlot) -> Screen:
    match kind:
        case "drm":
            from fer_edge.overlay.drm import DrmScreen

            return DrmScreen(slot)
        case "framebuffer":
            from fer_edge.overlay.framebuffer import FrameBuffer

            return FrameBuffer(Path(config.device))
        case "window":
            from fer_edge.overlay.window import Window

            return Window(fullscreen=config.fullscreen)
        case _:
            assert_never(kind)
