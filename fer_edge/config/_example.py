"""The example configuration, as TOML, from the fields' own descriptions."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fer_edge.config._describe import is_repeated, sections_in
from fer_edge.config._models import Config

HEAD: Final = """\
# Made by `fer-edge config --example`. Copy it to /etc/fer-edge/config.toml, and remove the # in front
# of each setting that you change. The value shown is the default, or an example where there is none.
# The environment (FER_EDGE__MQTT__URL=…) overrides the file, and the command line (--set mqtt.url=…)
# overrides both. `fer-edge config` prints what is in effect.
"""

WIDTH: Final = 100

EXAMPLES: Final[dict[str, Any]] = {
    "device": "livingroom",
    "metrics.listen": "127.0.0.1:9464",
    "source.region": [0.25, 0.0, 0.5, 1.0],
    "source.picamera2.af_mode": "manual",
    "source.picamera2.af_range": "normal",
    "source.picamera2.lens_position": 0.5,
    "source.picamera2.exposure_time": 10000,
    "source.picamera2.analogue_gain": 4.0,
    "source.picamera2.max_exposure_time": 20000,
    "source.picamera2.max_analogue_gain": 8.0,
    "source.picamera2.ae_exposure_mode": "short",
    "source.picamera2.exposure_value": 0.5,
    "source.picamera2.ae_flicker_period": 10000,
    "source.picamera2.awb_mode": "indoor",
    "source.picamera2.hdr_mode": "sensor",
    "source.v4l2.auto_exposure": "manual",
    "source.v4l2.exposure_time_absolute": 200,
    "source.v4l2.exposure_dynamic_framerate": False,
    "source.v4l2.gain": 64,
    "source.v4l2.backlight_compensation": 1,
    "source.v4l2.focus_automatic_continuous": False,
    "source.v4l2.focus_absolute": 0,
    "source.v4l2.power_line_frequency": "50hz",
    "source.v4l2.white_balance_automatic": False,
    "source.v4l2.white_balance_temperature": 4000,
    "source.device": "/dev/video0",
    "source.url": "http://camera.local:8080/stream",
    "source.username": "viewer",
    "source.password_file": "/etc/fer-edge/camera-password",
    "source.file.path": "/var/lib/fer-edge/clip.mp4",
    "source.images.path": "/var/lib/fer-edge/pictures",
    "source.demo.frames": 300,
    "detector.cascade": "/etc/fer-edge/cascade.xml",
    "detector.yunet.model": "/var/lib/fer-edge/face_detection_yunet_2023mar.onnx",
    "detector.centerface.model": "/var/lib/fer-edge/centerface.onnx",
    "zones.name": "sofa",
    "zones.points": [[0.0, 0.4], [0.6, 0.4], [0.6, 1.0], [0.0, 1.0]],
    "model.directory": "/var/lib/fer-edge/models",
    "jsonl.path": "/var/lib/fer-edge/faces.jsonl",
    "mqtt.url": "mqtt://broker.local:1883",
    "mqtt.username": "livingroom",
    "mqtt.password_file": "/etc/fer-edge/mqtt-password",
    "mqtt.ca_file": "/etc/fer-edge/ca.pem",
    "mqtt.cert_file": "/etc/fer-edge/client.pem",
    "mqtt.key_file": "/etc/fer-edge/client.key",
    "mqtt.client_id": "fer-edge-livingroom",
    "mqtt.prefix": "fer-edge/livingroom",
    "overlay.font": "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf",
    "overlay.names.neutral": "neutral",
    "overlay.names.happy": "fröhlich",
    "overlay.names.sad": "traurig",
    "overlay.names.surprise": "überrascht",
    "overlay.names.fear": "ängstlich",
    "overlay.names.disgust": "angeekelt",
    "overlay.names.anger": "wütend",
    "overlay.names.contempt": "verächtlich",
    "overlay.names.uncertain": "unsicher",
    "overlay.names.valence": "V",
    "overlay.names.arousal": "A",
    "overlay.names.still": "Bild",
    "overlay.names.no_picture": "kein Bild",
}
"""Values of fields that have no default, by section (and its type) and name."""


def example() -> str:
    """Every setting, commented out, with its default or an example."""
    top = [name for name, field in Config.model_fields.items() if not _inner(field)]
    lines = [HEAD, *_settings(Config, "", top)]
    for name, field in Config.model_fields.items():
        inner = _inner(field)
        if len(inner) > 1:
            lines += ["", *_prose(f"{field.description} At most one of these sections:")]
        for section in inner:
            lines += _section(name, section, field)
    return "\n".join(lines) + "\n"


def _section(
    name: str, section: type[BaseModel], field: FieldInfo, *, optional: bool = False
) -> Iterator[str]:
    """One section; the head of one that may be absent is commented out too."""
    kind = section.model_fields.get("type")
    optional = optional or len(_inner(field)) > 1 or is_repeated(field)
    mark = "#" if optional else ""
    head = f"[[{name}]]" if is_repeated(field) else f"[{name}]"
    yield from ("", *_prose(section.__doc__ or ""), f"{mark}{head}")
    key = name
    if optional and kind is not None:
        (chosen,) = get_args(kind.annotation)
        yield f'#type = "{chosen}"'
        key = f"{name}.{chosen}"
    hidden = {"type"} if optional else set()
    own = [n for n, f in section.model_fields.items() if n not in hidden and not _inner(f)]
    yield from _settings(section, key, own)
    for inner, within in section.model_fields.items():
        for one in _inner(within):
            yield from _section(f"{name}.{inner}", one, within, optional=True)


def _settings(section: type[BaseModel], key: str, names: list[str]) -> Iterator[str]:
    for name in names:
        field = section.model_fields[name]
        yield from _prose(f"{field.description or ''}{_choices(field)}")
        yield f"#{name} = {_value(field, key, name)}"


def _choices(field: FieldInfo) -> str:
    """What may stand there, where it is one of a few words."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if get_origin(kind) is Literal:
            return f" One of {', '.join(json.dumps(word) for word in get_args(kind))}."
    return ""


def _prose(text: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_on_hyphens=False,
    )


def _value(field: FieldInfo, key: str, name: str) -> str:
    value = None if field.is_required() or field.default_factory else field.default
    if value is None:
        path = f"{key}.{name}" if key else name
        value = EXAMPLES.get(path, EXAMPLES.get(f"{key.partition('.')[0]}.{name}"))
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _inner(field: FieldInfo) -> list[type[BaseModel]]:
    return list(sections_in(field.annotation))
