"""A camera with a preview, for tests and for machines without one; behaves as picamera2 does.

`PREVIEW_SIGNATURES` were read from picamera2 0.3.38; a test compares them with the package where it
is installed, and the fakes with them everywhere.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PREVIEW_SIGNATURES: Final[Mapping[str, tuple[str, ...]]] = {
    "picamera2.py:Picamera2.start_preview": ("self", "preview"),
    "picamera2.py:Picamera2.stop_preview": ("self",),
    "picamera2.py:Picamera2.attach_preview": ("self", "preview"),
    "picamera2.py:Picamera2.detach_preview": ("self",),
    "picamera2.py:Picamera2.set_overlay": ("self", "overlay"),
    "previews/drm_preview.py:DrmPreview.__init__": (
        "self",
        "x",
        "y",
        "width",
        "height",
        "transform",
        "device",
    ),
    "previews/drm_preview.py:DrmPreview.render_request": ("self", "completed_request"),
    "previews/drm_preview.py:DrmPreview.set_overlay": ("self", "overlay"),
    "previews/drm_preview.py:DrmPreview.stop": ("self",),
}
"""File and method of picamera2, and the names of its parameters, without those after `**`."""


class FakeDrmPreview:
    """picamera2's DrmPreview on a screen of memory.

    As in the real one, the layer exists from the first frame on, and a failing frame raises in the
    camera's event loop.
    """

    def __init__(  # noqa: PLR0917 - picamera2's own
        self,
        x: int = 0,
        y: int = 0,
        width: int = 640,
        height: int = 480,
        transform: Any = None,
        device: str | None = None,
    ) -> None:
        del transform, device
        self.window = (x, y, width, height)
        self.layers: list[NDArray[np.uint8] | None] = []
        """Every layer that was set, in order."""
        self.error: Exception | None = None
        self.frames = 0

    def render_request(self, completed_request: object) -> None:
        """Show a frame."""
        del completed_request
        self.frames += 1

    def set_overlay(self, overlay: NDArray[np.uint8] | None) -> None:
        """Show a layer; RuntimeError before the first frame."""
        if not self.frames:
            raise RuntimeError("Overlays not supported on this device")
        self.layers.append(None if overlay is None else overlay.copy())

    def stop(self) -> None:
        """Give the screen back."""


class FakePreviewCamera:
    """The previews of picamera2's Picamera2: one at a time, and one there must be for frames."""

    def __init__(self, size: tuple[int, int] = (1920, 1080), *, refuses: str = "") -> None:
        """A camera with frames of `size`; `refuses` is why it will start no screen."""
        self.camera_config: dict[str, Any] = {"main": {"size": size}, "buffer_count": 6}
        self._refuses = refuses
        self._preview: Any = None
        self.start_preview()

    @property
    def preview(self) -> Any:
        """What drives the camera at present: "null", a preview object, or None."""
        return self._preview

    def start_preview(self, preview: Any = None) -> None:
        """Begin to show; RuntimeError if something is shown already, or the screen refuses."""
        if self._preview is not None:
            raise RuntimeError("An event loop is already running")
        if preview is not None and self._refuses:
            raise RuntimeError(self._refuses)
        self.attach_preview("null" if preview is None else preview)

    def stop_preview(self) -> None:
        """Stop; RuntimeError if nothing is shown."""
        if self._preview is None:
            raise RuntimeError("No preview specified.")
        if self._preview != "null":
            self._preview.stop()
        self.detach_preview()

    def attach_preview(self, preview: Any) -> None:
        """Called by a preview that has begun."""
        if self._preview is not None:
            raise RuntimeError("Preview is already running")
        self._preview = preview

    def detach_preview(self) -> None:
        """Called by a preview that has ended."""
        self._preview = None

    def set_overlay(self, overlay: NDArray[np.uint8] | None) -> None:
        """A layer of four channels for what is shown; RuntimeError for any other."""
        if self._preview is None:
            raise RuntimeError("No preview specified.")
        if overlay is not None and (overlay.ndim != 3 or overlay.shape[2] != 4):
            raise RuntimeError("Overlay must be a 4-channel image")
        if self._preview != "null":
            self._preview.set_overlay(overlay)

    def deliver(self) -> None:
        """One frame comes in."""
        if self._preview not in {None, "null"}:
            self._preview.render_request(object())
