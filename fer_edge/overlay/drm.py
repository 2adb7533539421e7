"""The camera's picture straight from camera to screen by DRM, and over it a transparent layer.

picamera2's DrmPreview hands each frame's buffer to the display controller: no picture passes
through Python. It belongs to the camera, so the source lends its camera for as long as that is open
(`CameraSlot`), and the layer is set on it. Reading the camera and showing it go on separately: what
fails here leaves picamera2 with its NullPreview, which only reads.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.overlay.canvas import Image
from fer_edge.overlay.layout import View
from fer_edge.overlay.screen import ScreenError

log = logging.getLogger(__name__)

FIRST_FRAME_S = 5.0
"""DrmPreview reserves the layer with the first frame; until then it refuses one."""

SYSFS = Path("/sys/class/drm")


class PreviewCamera(Protocol):
    """The part of picamera2's Picamera2 that is used; `fakes.FakePreviewCamera` is another."""

    @property
    def camera_config(self) -> Any:
        """The configuration in effect; its `main` has a `size`."""

    def start_preview(self, preview: Any = None) -> None:
        """Begin to show frames by this preview object, or with None only to read them."""

    def stop_preview(self) -> None:
        """Stop showing."""

    def set_overlay(self, overlay: NDArray[np.uint8] | None) -> None:
        """A layer over the picture, [height, width, 4], red, green, blue, opacity."""


class CameraSlot:
    """Where a source leaves its camera while it is open, for a screen that shows it directly."""

    def __init__(self) -> None:
        self.lock = Lock()
        """Held while the camera is used; it cannot be closed meanwhile."""
        self.camera: PreviewCamera | None = None

    @contextmanager
    def lend(self, camera: Any) -> Iterator[None]:
        """`camera` may be used until the end of the context."""
        with self.lock:
            self.camera = camera
        try:
            yield
        finally:
            with self.lock:
                self.camera = None


def make_preview(size: tuple[int, int]) -> Any:
    """picamera2's DrmPreview over the whole screen, whose errors do not stop the camera.

    Raises:
        ScreenError: picamera2 or kms is not installed, or the screen belongs to a desktop.
    """
    try:
        from picamera2.previews import DrmPreview
    except ImportError as error:
        raise ScreenError(
            f"drm: {error}; sudo apt install python3-picamera2 python3-kms++"
        ) from None

    class Preview(DrmPreview):  # type: ignore[misc] # picamera2 has no types
        """Runs in picamera2's event loop, which an exception would end, and the camera with it."""

        error: Exception | None = None

        def render_request(self, completed_request: Any) -> None:
            if self.error is None:
                try:
                    super().render_request(completed_request)
                except Exception as error:  # noqa: BLE001 - pykms raises what it likes
                    self.error = error

    try:
        return Preview(x=0, y=0, width=size[0], height=size[1])
    except Exception as error:  # noqa: BLE001 - as above
        raise ScreenError(f"drm: {error}; is a screen connected, and no desktop running?") from None


class DrmScreen:
    """A layer over the camera's picture."""

    transparent = True

    def __init__(
        self,
        slot: CameraSlot,
        *,
        sysfs: Path = SYSFS,
        make_preview: Callable[[tuple[int, int]], Any] = make_preview,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show the lent camera on the screen.

        Raises:
            ScreenError: no camera is lent, no screen connected, or it belongs to another program.
        """
        self._slot = slot
        self._clock = clock
        self._shown = False
        resolution = connected_resolution(sysfs)
        if resolution is None:
            raise ScreenError("drm: no screen is connected; plug one in")
        with slot.lock:
            camera = slot.camera
            if camera is None:
                raise ScreenError("drm: no CSI camera is open; it shows that camera only")
            self._camera = camera
            self._size = _layer_size(camera.camera_config["main"]["size"], resolution)
            self._preview = make_preview(resolution)
            self._started = clock()
            try:
                camera.stop_preview()
                camera.start_preview(self._preview)
            except RuntimeError as error:
                self._read_only()
                raise ScreenError(f"drm: {error}") from None

    @property
    def name(self) -> str:
        """For people."""
        return "drm {}x{}".format(*self._size)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the layer in pixels: that of the camera's picture on the screen."""
        return self._size

    def show(self, image: Image) -> None:
        """Replace the layer.

        Raises:
            ScreenError: the camera was closed, or the screen was lost to another program.
        """
        with self._slot.lock:
            if self._slot.camera is not self._camera:
                raise ScreenError("drm: the camera was closed; shown again when it is open")
            if getattr(self._preview, "error", None) is not None:
                raise ScreenError(f"drm: cannot show the picture: {self._preview.error}")
            try:
                self._camera.set_overlay(straight_rgba(image))
                self._shown = True
            except RuntimeError as error:
                if self._shown or self._clock() - self._started > FIRST_FRAME_S:
                    raise ScreenError(f"drm: {error}") from None

    def close(self) -> None:
        """Take the layer and the picture off the screen; the camera goes on."""
        with self._slot.lock:
            if self._slot.camera is self._camera:
                self._read_only()

    def _read_only(self) -> None:
        """From DrmPreview to NullPreview: without any, picamera2 would deliver no frame."""
        with suppress(RuntimeError):  # it may not have begun
            self._camera.stop_preview()
        try:
            self._camera.start_preview()
        except RuntimeError as error:
            # The source notices that no frame comes, and opens its camera again.
            log.debug("drm: %s", error)


def straight_rgba(image: Image) -> Image:
    """From colours multiplied by their opacity to colours beside it, as DrmPreview blends them."""
    import cv2

    rgba = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA), np.uint8)
    partly = np.nonzero((rgba[:, :, 3] > 0) & (rgba[:, :, 3] < 255))
    pixels = rgba[partly].astype(np.uint16)
    pixels[:, :3] = np.minimum(255, pixels[:, :3] * 255 // pixels[:, 3:])
    rgba[partly] = pixels.astype(np.uint8)
    return rgba


def connected_resolution(sysfs: Path = SYSFS) -> tuple[int, int] | None:
    """Width and height of the first screen that is connected, in its preferred mode."""
    for connector in sorted(sysfs.glob("card*-*")):
        try:
            if (connector / "status").read_text().strip() == "connected":
                width, _, rest = (connector / "modes").read_text().split()[0].partition("x")
                return int(width), int(rest.rstrip("ip"))
        except (OSError, ValueError, IndexError):
            continue
    return None


def _layer_size(camera: tuple[int, int], screen: tuple[int, int]) -> tuple[int, int]:
    """DrmPreview stretches a layer over the picture: whole, centred, undistorted on the screen."""
    area = View.of(camera, screen).area
    return area.width, area.height
