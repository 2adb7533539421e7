"""The sections of the configuration that say where the pictures come from."""

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from fer_edge.config._base import Seconds, Section, check_port, without_password
from fer_edge.config._region import Region

V4L2_AUTOMATICS: Final = (
    ("exposure_time_absolute", "auto_exposure", "manual"),
    ("focus_absolute", "focus_automatic_continuous", False),
    ("white_balance_temperature", "white_balance_automatic", False),
)
"""Settings that have an effect only while an automatic is off, and what switches it off."""


class _Mounted(Section):
    region: Region | None = None
    """The part of the camera's picture to look at, cut out before anything else is done to it. All that
    is published (boxes, width, height) and shown refers to this part as if it were the whole picture."""
    rotate: Literal[0, 90, 180, 270] = 0
    """Degrees by which pictures are turned clockwise: how the camera is mounted."""
    mirror: bool = False
    """Turn pictures round, left for right, after that."""


class AutoSource(_Mounted):
    """The CSI camera if there is one, else the first V4L2 camera; without any it waits for one."""

    type: Literal["auto"] = "auto"


class PiCamera2Source(_Mounted):
    """A camera on the board's CSI connector, through libcamera. From `af_mode` on the settings are
    libcamera's controls, which `fer-edge doctor` lists; what is not given is left to libcamera.
    """

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
    af_mode: Literal["manual", "auto", "continuous"] | None = None
    """Focus (libcamera's AfMode): `continuous` follows the scene, `auto` focuses once at the start."""
    af_range: Literal["normal", "macro", "full"] | None = None
    """Distances among which the focus is sought (AfRange)."""
    lens_position: float | None = Field(None, ge=0, le=32)
    """Focus at 1 / this many metres, 0 for far away (LensPosition); makes `af_mode` manual."""
    exposure_time: int | None = Field(None, ge=1, le=1_000_000_000)
    """Fixed exposure time in microseconds (ExposureTime); no longer than 1 / `fps` is possible."""
    analogue_gain: float | None = Field(None, ge=1, le=64)
    """Fixed gain of the sensor (AnalogueGain); higher is brighter and noisier."""
    max_exposure_time: int | None = Field(None, ge=1, le=1_000_000_000)
    """Longest exposure in microseconds that the automatic chooses: a short one keeps who moves sharp."""
    max_analogue_gain: float | None = Field(None, ge=1, le=64)
    """Highest gain that the automatic chooses."""
    ae_exposure_mode: Literal["normal", "short", "long"] | None = None
    """Whether the automatic prefers a short exposure or a low gain (AeExposureMode)."""
    exposure_value: float | None = Field(None, ge=-8, le=8)
    """Brighter or darker than the automatic would choose, in stops (ExposureValue): against the light."""
    ae_flicker_period: int | None = Field(None, ge=1000, le=50_000)
    """Against flicker of lamps (AeFlickerPeriod), microseconds: 10000 for 50 Hz mains, 8333 for 60 Hz."""
    awb_mode: (
        Literal["auto", "incandescent", "tungsten", "fluorescent", "indoor", "daylight", "cloudy"]
        | None
    ) = None
    """White balance (AwbMode); a screen shows it, recognition works on grey."""
    hdr_mode: Literal["off", "sensor", "single_exposure", "multi_exposure", "night"] | None = None
    """Bright and dark in one picture: `sensor` switches the sensor's own HDR (Camera Module 3) on, the
    others are libcamera's HdrMode (Raspberry Pi 5)."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.lens_position is not None and self.af_mode not in {None, "manual"}:
            raise ValueError('lens_position needs af_mode = "manual"; leave one of them out')
        return self

    def controls(self) -> dict[str, str | int | float]:
        """The controls that are given, by name."""
        return _given(self, "af_mode")


class V4l2Source(_Mounted):
    """A USB camera or any other video4linux device. From `auto_exposure` on the settings are the camera's
    controls, by the names that `fer-edge doctor` lists; what is not given stays as the camera has it.
    """

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
    auto_exposure: Literal["auto", "manual"] | None = None
    """Whether the camera chooses the exposure."""
    exposure_time_absolute: int | None = Field(None, ge=1, le=1_000_000)
    """Exposure time in steps of 100 microseconds; makes `auto_exposure` manual."""
    exposure_dynamic_framerate: bool | None = None
    """Whether the automatic may expose longer in the dark, with fewer frames a second."""
    gain: int | None = Field(None, ge=-1_000_000, le=1_000_000)
    """Gain of the sensor, in the camera's own steps; higher is brighter and noisier."""
    backlight_compensation: int | None = Field(None, ge=-1_000_000, le=1_000_000)
    """Against a bright background, in the camera's own steps."""
    focus_automatic_continuous: bool | None = None
    """Whether the camera focuses by itself."""
    focus_absolute: int | None = Field(None, ge=-1_000_000, le=1_000_000)
    """Focus, in the camera's own steps; turns `focus_automatic_continuous` off."""
    power_line_frequency: Literal["disabled", "50hz", "60hz", "auto"] | None = None
    """Frequency of the mains, against flicker of lamps."""
    white_balance_automatic: bool | None = None
    """Whether the camera chooses the white balance."""
    white_balance_temperature: int | None = Field(None, ge=1000, le=20_000)
    """Colour temperature of the light in kelvin; turns `white_balance_automatic` off."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for value, automatic, off in V4L2_AUTOMATICS:
            chosen = getattr(self, automatic)
            if getattr(self, value) is not None and chosen not in {None, off}:
                said = json.dumps(off)
                raise ValueError(f"{value} needs {automatic} = {said}; leave one of them out")
        return self

    def controls(self) -> dict[str, str | int | bool]:
        """The controls that are given, by name, and the automatics that must be off for them."""
        given = _given(self, "auto_exposure")
        off = {automatic: word for value, automatic, word in V4L2_AUTOMATICS if value in given}
        return off | given


def _given(section: Section, first: str) -> dict[str, Any]:
    """The settings from `first` on that are given, by name."""
    names = list(type(section).model_fields)
    values = {name: getattr(section, name) for name in names[names.index(first) :]}
    return {name: value for name, value in values.items() if value is not None}


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
