"""Configuration: what can be set, from where, and how to say what is wrong with it."""

from fer_edge.config._describe import known_keys
from fer_edge.config._document import document
from fer_edge.config._example import example
from fer_edge.config._load import DEFAULT_PATH, load
from fer_edge.config._models import Config
from fer_edge.config._parse_source import parse_source
from fer_edge.config._programs import LslConfig, MetricsConfig
from fer_edge.config._render import mask_url, render
from fer_edge.config._secrets import read_password
from fer_edge.config._sections import (
    MQTT_PORTS,
    CenterFaceDetector,
    DetectorConfig,
    JsonlConfig,
    LogConfig,
    ModelConfig,
    MqttConfig,
    NamesConfig,
    OutputConfig,
    OverlayConfig,
    RetryConfig,
    TrackingConfig,
    ViolaJonesDetector,
    YuNetDetector,
)
from fer_edge.config._sources import (
    AutoSource,
    DemoSource,
    FileSource,
    ImagesSource,
    PiCamera2Source,
    SourceConfig,
    StreamSource,
    V4l2Source,
)
from fer_edge.config._zones import ZoneConfig

__all__ = [
    "DEFAULT_PATH",
    "MQTT_PORTS",
    "AutoSource",
    "CenterFaceDetector",
    "Config",
    "DemoSource",
    "DetectorConfig",
    "FileSource",
    "ImagesSource",
    "JsonlConfig",
    "LogConfig",
    "LslConfig",
    "MetricsConfig",
    "ModelConfig",
    "MqttConfig",
    "NamesConfig",
    "OutputConfig",
    "OverlayConfig",
    "PiCamera2Source",
    "RetryConfig",
    "SourceConfig",
    "StreamSource",
    "TrackingConfig",
    "V4l2Source",
    "ViolaJonesDetector",
    "YuNetDetector",
    "ZoneConfig",
    "document",
    "example",
    "known_keys",
    "load",
    "mask_url",
    "parse_source",
    "read_password",
    "render",
]
