"""The sections of the configuration; the docstring under a field is its documentation."""

import re
import socket
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from fer_edge.config._base import ADDRESS_ADVICE, Seconds, Section, Share, check_port

Precision = Literal["float32", "int8"]

MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
MQTT_TEXT_BYTES = 1000
"""Far below the protocol's 65535, from which the topics below a prefix have to live too."""


class RetryConfig(Section):
    """How a lost camera or broker is tried again: full jitter below a growing ceiling."""

    initial_s: Seconds = 0.5
    """Ceiling of the first wait."""
    max_s: Seconds = 10.0
    """Ceiling of every later wait; below half of the service's watchdog time."""


class ViolaJonesDetector(Section):
    """Cascade of Haar features (Viola and Jones 2001), as OpenCV has it."""

    type: Literal["viola_jones"] = "viola_jones"
    cascade: Path | None = None
    """Cascade file; OpenCV's own frontal face when not given."""
    search_width: int = Field(640, ge=160, le=3840)
    """Width in pixels to which a frame is scaled down before the search."""
    min_face: Share = 0.12
    """Smallest face, as a share of the frame's height."""
    small_face: Share = 0.045
    """Smallest face in the searches for small ones, which come in turn; `min_face` for none."""
    max_tilt_deg: float = Field(45.0, ge=0.0, le=90.0)
    """How far a head may be tilted, degrees; 0: only upright faces are looked for."""
    scale_factor: float = Field(1.2, gt=1.0, le=2.0)
    """Step between two sizes that are searched; nearer to 1 finds more and costs more."""
    min_neighbors: int = Field(5, ge=0, le=50)
    """How many overlapping finds make a face; more means fewer false ones."""
    verify: bool = True
    """Believe a new face only where YuNet, asked about its neighbourhood once, sees one too: on walls and
    patterns the cascade alone finds many."""
    threads: int = Field(0, ge=0, le=64)
    """Threads of OpenCV, in the whole process; 0: as many as it takes by itself."""


class _NetworkDetector(Section):
    model: Path | None = None
    """ONNX file; the one that comes with fer-edge, or with the package that ships it, when not given."""
    search_width: int = Field(640, ge=160, le=3840)
    """Width in pixels to which a frame is scaled down before the search."""
    min_face: Share = 0.04
    """Smallest face, as a share of the frame's height."""
    max_tilt_deg: float = Field(45.0, ge=0.0, le=90.0)
    """How far a head may be tilted, degrees; 0: only upright planes are searched."""
    threads: int = Field(0, ge=0, le=64)
    """Threads of OpenCV, in the whole process; 0: as many as it takes by itself."""


class YuNetDetector(_NetworkDetector):
    """YuNet, a small network that finds tilted, dark and half turned faces, and five landmarks."""

    type: Literal["yunet"]
    min_score: float = Field(0.6, gt=0.0, lt=1.0)
    """Least confidence of a face."""


class CenterFaceDetector(_NetworkDetector):
    """CenterFace, the thesis' other detector, with five landmarks; costs many times as much as YuNet."""

    type: Literal["centerface"]
    min_score: float = Field(0.5, gt=0.0, lt=1.0)
    """Least confidence of a face."""


def _detector_type(value: Any) -> str | None:
    """Which detector a section is of; Viola-Jones, if it does not say."""
    if isinstance(value, dict):
        kind = value.get("type", "viola_jones")
    else:
        kind = getattr(value, "type", None)
    return kind if isinstance(kind, str) else None


DetectorConfig = Annotated[
    Annotated[ViolaJonesDetector, Tag("viola_jones")]
    | Annotated[YuNetDetector, Tag("yunet")]
    | Annotated[CenterFaceDetector, Tag("centerface")],
    Discriminator(_detector_type),
]


class TrackingConfig(Section):
    """How detections become faces with an id, and how their readings are smoothed."""

    iou: Share = 0.3
    """Overlap (intersection over union) from which a detection continues a track."""
    confirm_hits: int = Field(3, ge=1, le=100)
    """A face is published once it was detected in this many of the last `confirm_window` frames."""
    confirm_window: int = Field(5, ge=1, le=100)
    """Number of frames in which `confirm_hits` are counted."""
    lost_after_s: Seconds = 0.7
    """After this many seconds without being detected a face has left."""
    smoothing_s: float = Field(0.4, ge=0.0, le=60.0)
    """Time constant of the exponential smoothing of probabilities, valence and arousal; 0: none, but for
    the two readings that `model.mirror` averages."""
    hysteresis: Share = 0.1
    """How much more probable another emotion must be to replace the one that is shown."""
    min_confidence: Share = 0.35
    """Below this probability the emotion is `uncertain`."""
    search_interval_s: Seconds = 1.0
    """Seconds between two searches of the whole picture for new faces; known ones are followed in
    between."""
    alert_interval_s: Seconds = 0.2
    """The same in the two seconds after a face was lost."""
    idle_after_s: Seconds = 10.0
    """After this many seconds without a face only `idle_rate_hz` frames a second are looked at."""
    idle_rate_hz: float = Field(5.0, gt=0, le=240)
    """Frames a second while nobody is in view; the first face ends it with the next frame."""

    still_after_s: float = Field(30.0, ge=0.0, le=86400.0)
    """After this many seconds in which nothing in it moves, blinks or changes, a face is a picture of one:
    `still`, not counted, hardly read; 0: never. People blink several times in half a minute."""

    @model_validator(mode="after")
    def _window_holds_hits(self) -> Self:
        if self.confirm_hits > self.confirm_window:
            raise ValueError("confirm_hits is larger than confirm_window; make it at most as large")
        return self


class ModelConfig(Section):
    """Which network reads the faces."""

    alpha: float = Field(0.25, gt=0.0, le=2.0)
    """Width multiplier of MobileNetV1: smaller is faster; from 0.35 on all are about as good."""
    precision: Precision = "int8"
    """`int8` takes a third of `float32`'s time on a Raspberry Pi 4, by XNNPACK's README of 2022 (α 1.0 at
    224 pixels; not measured by us)."""
    threads: int = Field(1, ge=1, le=64)
    """Threads of the interpreter."""
    max_faces: int = Field(4, ge=1, le=64)
    """At most this many faces are read in one frame, the others in turn."""
    min_interval_s: float = Field(0.2, ge=0.0, le=60.0)
    """Seconds after which a face that has not changed is read again."""
    changed_interval_s: float = Field(0.09, ge=0.0, le=60.0)
    """Seconds after which a face that has changed is read again: at 30 frames a second in every third
    frame."""
    mirror: bool = True
    """Read a face as it is and mirrored in turn, and average the two: a little better, most at α 0.25."""
    directory: Path | None = None
    """Folder with models and cards; the ones that come with fer-edge when not given."""


class OutputConfig(Section):
    """What goes to standard output."""

    stdout: Literal["auto", "table", "jsonl", "none"] = "auto"
    """`auto`: a live table on a terminal, JSON lines in a pipe, nothing in the journal."""


class JsonlConfig(Section):
    """JSON lines to a file."""

    path: Path | None = None
    """File to append to; none when not given."""
    max_mb: float = Field(100.0, ge=0.01, le=1_000_000)
    """A file that would become larger, in megabytes, is renamed to end in .1, and a new one begun."""
    max_age_h: float = Field(168.0, ge=0.01, le=87_600)
    """So is one whose first line is older than this many hours."""
    keep: int = Field(5, ge=0, le=1000)
    """How many renamed files are kept (.1 is the newest); older ones are deleted."""


class MqttConfig(Section):
    """Publishing to a broker."""

    url: str | None = None
    """mqtt://host[:port] or mqtts://host[:port] (TLS); nothing is published when not given."""
    username: str | None = None
    """User name at the broker."""
    password_file: Path | None = None
    """File whose first line is the password; else the systemd credential `mqtt-password`, which
    systemd reads from /etc/credstore/fer-edge.mqtt-password (owner root, mode 0600)."""
    ca_file: Path | None = None
    """Certificate authority in PEM that signed the broker's certificate; else the system's."""
    cert_file: Path | None = None
    """Client certificate in PEM."""
    key_file: Path | None = None
    """Key of the client certificate in PEM."""
    client_id: str | None = None
    """Client identifier; `fer-edge-<device>` when not given."""
    prefix: str | None = None
    """Topic prefix; `fer-edge/<device>` when not given."""
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    """Version of MQTT."""
    keepalive_s: int = Field(30, ge=5, le=3600)
    """Keep-alive in seconds; the broker says `offline` after one and a half of it."""
    max_rate_hz: float = Field(10.0, gt=0, le=240)
    """At most this many `faces` messages a second."""
    diagnostics_s: Seconds = 10.0
    """Seconds between two `diagnostics` messages."""
    home_assistant: bool = False
    """Announce the entities to Home Assistant (MQTT discovery, from Home Assistant 2024.12 on)."""
    discovery_prefix: str = "homeassistant"
    """Home Assistant's discovery prefix."""
    commands: Literal["auto", "on", "off"] = "auto"
    """Take commands below `<prefix>/set/`, such as to turn recognition off; `auto`: if `home_assistant` is
    on. Whoever may write to the broker can then open and close the camera."""

    @property
    def takes_commands(self) -> bool:
        """Whether commands change the running service."""
        return self.commands == "on" or (self.commands == "auto" and self.home_assistant)

    @field_validator("url")
    @classmethod
    def _broker_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in MQTT_PORTS or not parts.hostname:
            raise ValueError("write it as mqtt://host:1883 or mqtts://host:8883")
        if parts.path.strip("/") or parts.query:
            raise ValueError("has a path; the topic prefix goes into mqtt.prefix")
        if parts.username is not None:
            raise ValueError(ADDRESS_ADVICE + ", the user into username")
        check_port(url)
        return url

    @field_validator("prefix", "discovery_prefix")
    @classmethod
    def _plain_topic(cls, prefix: str | None) -> str | None:
        if prefix is not None and (not prefix or re.search(r"[#+]|^[/$]|/$", prefix)):
            raise ValueError("must not be empty, hold # or +, begin with / or $, nor end with /")
        return prefix

    @field_validator("prefix", "discovery_prefix", "client_id", "username")
    @classmethod
    def _mqtt_text(cls, text: str | None) -> str | None:
        if text is not None and (len(text.encode()) > MQTT_TEXT_BYTES or not text.isprintable()):
            raise ValueError(
                f"must be printable and at most {MQTT_TEXT_BYTES} bytes: a broker hangs up on it"
            )
        return text

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file come together; give both or neither")
        return self


class NamesConfig(Section):
    """Words on the screen in another language; what is not given stays English."""

    neutral: str | None = None
    """Name of the emotion neutral."""
    happy: str | None = None
    """Name of the emotion happy."""
    sad: str | None = None
    """Name of the emotion sad."""
    surprise: str | None = None
    """Name of the emotion surprise."""
    fear: str | None = None
    """Name of the emotion fear."""
    disgust: str | None = None
    """Name of the emotion disgust."""
    anger: str | None = None
    """Name of the emotion anger."""
    contempt: str | None = None
    """Name of the emotion contempt."""
    uncertain: str | None = None
    """While no emotion is probable enough."""
    valence: str | None = None
    """One letter or two, before valence in figures."""
    arousal: str | None = None
    """One letter or two, before arousal in figures."""
    still: str | None = None
    """At a portrait or another picture of a face."""
    no_picture: str | None = None
    """While the camera is lost."""

    def given(self) -> dict[str, str]:
        """The words that are given, by their field's name."""
        return self.model_dump(exclude_none=True)


class OverlayConfig(Section):
    """The picture on a screen of this device, with what is known of each face."""

    screen: Literal["none", "auto", "drm", "framebuffer", "window"] = "none"
    """`window`: on a desktop, with `pip install 'fer-edge[window]'`; `drm`: the CSI camera's picture
    straight to HDMI; `framebuffer`: any source, no desktop; `auto`: the first of these that works."""
    fps: float = Field(15.0, gt=0, le=60)
    """Pictures a second, at most; recognition keeps its own rate."""
    privacy: Literal["camera", "boxes"] = "camera"
    """`boxes`: no camera picture at all, only boxes on black."""
    landmarks: bool = False
    """Draw eyes, nose and mouth where the detector finds them (`yunet`, `centerface`)."""
    device: str = "/dev/fb0"
    """Frame buffer for `framebuffer`."""
    fullscreen: bool = False
    """Whether a `window` fills the screen at first; f switches."""
    scale: float = Field(1.0, ge=0.5, le=3.0)
    """Makes text and panels this many times as large."""
    font: Path | None = None
    """Font file; else one that has Latin, Greek and Cyrillic letters."""
    names: NamesConfig | None = None
    """Words in another language."""

    @model_validator(mode="after")
    def _drm_shows_the_camera(self) -> Self:
        if self.screen == "drm" and self.privacy == "boxes":
            raise ValueError(
                "screen drm always shows the camera; with privacy boxes use framebuffer or window"
            )
        return self


class LogConfig(Section):
    """What is written to standard error, or to the journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is written."""


def default_device() -> str:
    """The host name without its domain, with what a topic cannot hold replaced by `-`."""
    name = socket.gethostname().split(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]", "-", name) or "fer-edge"
