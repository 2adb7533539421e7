"""The sections of the configuration that say where the pictures come from."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from fer_edge.config._base import Seconds, Section, check_port, without_password
from fer_edge.config._region import Region


class _Mounted(Section):
    region: Region | None = None
    """The part of the camera's picture to look at, cut out before anything else is done to it. All that
    is published (boxes, width, height) and shown refers to this part as if it were the whole picture."""
    rotate: Literal[0, 90, 180, 270] = 0
    """Degrees by which pictures are turned clockwise: how the camera is mounted."""
    mirror: bool = False
    """Turn pictures round, left for right, after that."""


class AutoSource(_Mounted):
    """The CSI camera if there is one, else the first V4L2 camera."""

    type: Literal["auto"] = "auto"


class PiCamera2Source(_Mounted):
    """A camera on the board's CSI connector, through libcamera."""

    type: Literal["picamera2"]
    camera: int = Field(0, ge=0)
    """Number of the camera, as `rpicam-hello --list-cameras` counts."""
    width: int = Field(1920, ge=160, le=9152)
    """Width of the main stream in pixels."""
    height: int = Field(1080, ge=120, le=6944)
    """Height of the main stream in pixels."""
    detect_width: int = Field(640, ge=160, le=1920)
    """Width in pixels of the second, smaller stream on which faces are searched."""
    fps: float = Field(30.0, gt=0, le=240)
    """Frames a second asked of the camera."""
    stall_timeout_s: Seconds = 5.0
    """After this many seconds without a frame the camera is closed and reopened."""


class V4l2Source(_Mounted):
    """A USB camera or any other video4linux device."""

    type: Literal["v4l2"]
    device: str = "/dev/video0"
    """Device file; a name below /dev/v4l/by-id keeps its meaning over a restart."""
    width: int = Field(1920, ge=160, le=9152)
    """Width asked of the camera in pixels."""
    height: int = Field(1080, ge=120, le=6944)
    """Height asked of the camera in pixels."""
    fps: float = Field(30.0, gt=0, le=240)
    """Frames a second asked of the camera."""
    stall_timeout_s: Seconds = 5.0
    """After this many seconds without a frame the camera is closed and reopened."""


class StreamSource(_Mounted):
    """A network camera: MJPEG over HTTP, or RTSP."""

    type: Literal["stream"]
    url: str
    """Address, http://, https:// or rtsp://, without a password."""
    username: str | None = None
    """User name for the camera."""
    password_file: Path | None = None
    """File whose first line is the camera's password; else the credential `source-password`."""
    open_timeout_s: Seconds = 5.0
    """How long one attempt to connect may take."""
    stall_timeout_s: Seconds = 5.0
    """After this many seconds without a frame the stream is closed and reopened."""

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        if urlsplit(url).scheme not in {"http", "https", "rtsp", "rtsps"}:
            raise ValueError("use http://, https://, rtsp:// or rtsps://")
        if not urlsplit(url).hostname:
            raise ValueError("names no host; write it as http://camera.local/stream")
        check_port(url)
        return without_password(url)


class FileSource(_Mounted):
    """A video file."""

    type: Literal["file"]
    path: Path
    """The video file."""
    fast: bool = False
    """Process every frame as quickly as possible instead of at the recording's own pace."""
    loop: bool = False
    """Begin again at the end."""


class ImagesSource(Section):
    """A folder of pictures, in the order of their names."""

    type: Literal["images"]
    path: Path
    """The folder of pictures."""
    fps: float = Field(1.0, gt=0, le=240)
    """Pictures a second."""
    fast: bool = False
    """Process every picture as quickly as possible."""


class DemoSource(Section):
    """A real face (NASA portrait of Eileen Collins, public domain) that moves and grows."""

    type: Literal["demo"]
    width: int = Field(1920, ge=160, le=3840)
    """Width in pixels."""
    height: int = Field(1080, ge=120, le=2160)
    """Height in pixels."""
    fps: float = Field(30.0, gt=0, le=240)
    """Frames a second."""
    faces: int = Field(1, ge=0, le=8)
    """How many faces move over the background."""
    frames: int | None = Field(None, ge=1)
    """End after this many frames; without it, never."""
    fast: bool = False
    """Process every frame as quickly as possible."""


SourceConfig = Annotated[
    AutoSource
    | PiCamera2Source
    | V4l2Source
    | StreamSource
    | FileSource
    | ImagesSource
    | DemoSource,
    Field(discriminator="type"),
]
