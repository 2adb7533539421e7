"""The whole configuration."""

from typing import Any, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fer_edge.config._programs import LslConfig, MetricsConfig
from fer_edge.config._sections import (
    DetectorConfig,
    JsonlConfig,
    LogConfig,
    ModelConfig,
    MqttConfig,
    OutputConfig,
    OverlayConfig,
    RetryConfig,
    TrackingConfig,
    ViolaJonesDetector,
    default_device,
)
from fer_edge.config._sources import (
    AutoSource,
    SourceConfig,
)
from fer_edge.config._zones import ZoneConfig, check_zones

ENV_PREFIX = "FER_EDGE__"


class Config(BaseSettings):
    """Everything that can be set; `fer-edge config` prints what is in effect.

    Made by `fer_edge.config.load`, which merges the layers itself, so that an error can name the
    layer it came from.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
    )

    device: str = Field(default_factory=default_device, max_length=100)
    """Name of this device in topics and messages; letters, digits, - and _. Default: host name."""
    source: SourceConfig = AutoSource()
    """Where the pictures come from."""
    retry: RetryConfig = RetryConfig()
    """How a lost camera or broker is tried again."""
    detector: DetectorConfig = ViolaJonesDetector()
    """How faces are found."""
    zones: tuple[ZoneConfig, ...] = ()
    """Parts of the picture that count, and parts that do not."""
    tracking: TrackingConfig = TrackingConfig()
    """How faces are followed and readings smoothed."""
    model: ModelConfig = ModelConfig()
    """Which network reads the faces."""
    output: OutputConfig = OutputConfig()
    """Standard output."""
    jsonl: JsonlConfig = JsonlConfig()
    """JSON lines to a file."""
    mqtt: MqttConfig = MqttConfig()
    """Publishing to a broker."""
    metrics: MetricsConfig = MetricsConfig()
    """Prometheus."""
    lsl: LslConfig = LslConfig()
    """Lab Streaming Layer."""
    overlay: OverlayConfig = OverlayConfig()
    """A screen of this device."""
    log: LogConfig = LogConfig()
    """Logging."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - all four: the base class's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What `load` merged, and nothing else.

        The environment a second time would bring back what a stronger layer had replaced, such as
        the address of a camera when the command line asks for the demo.
        """
        return (init_settings,)

    @field_validator("device")
    @classmethod
    def _fits_a_topic(cls, device: str) -> str:
        if not device or not all(c.isalnum() or c in "-_" for c in device):
            raise ValueError("only letters, digits, - and _; it becomes part of the MQTT topics")
        return device

    @field_validator("zones", mode="before")
    @classmethod
    def _zones_are_several(cls, zones: Any) -> Any:
        if not isinstance(zones, list | tuple):
            raise ValueError("write each zone as a section [[zones]] of the file")  # noqa: TRY004
        return zones

    @field_validator("zones")
    @classmethod
    def _zones_differ(cls, zones: tuple[ZoneConfig, ...]) -> tuple[ZoneConfig, ...]:
        check_zones(zones)
        return zones

    @property
    def counting_zones(self) -> tuple[str, ...]:
        """Names of the zones in which people are counted, in order."""
        return tuple(zone.name for zone in self.zones if zone.use == "count")

    @model_validator(mode="after")
    def _screen_shows_what_is_turned(self) -> Self:
        """The CSI camera's own picture goes to the screen as the camera gives it."""
        turned = any(getattr(self.source, name, None) for name in ("region", "rotate", "mirror"))
        straight = self.overlay.screen == "drm" or (
            self.overlay.screen == "auto" and self.source.type in {"auto", "picamera2"}
        )
        if turned and straight:
            raise ValueError(
                "overlay.screen: the CSI camera's picture cannot be turned or cut on its way to the "
                "screen; choose framebuffer or window, or leave source.rotate, mirror and region out"
            )
        return self
