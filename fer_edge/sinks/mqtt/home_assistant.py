"""Discovery messages that make the entities appear in Home Assistant by themselves; pure.

One message announces the device with all its entities (device discovery, Home Assistant 2024.12 or
later): https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload. A template that
finds no value renders `None`, which Home Assistant shows as unknown.
"""

import re

from fer_edge import __version__
from fer_edge.sinks.mqtt.message import Message
from fer_edge.sinks.payload import NO_FACE, JsonObject, encode
from fer_edge.types import EMOTIONS, UNCERTAIN


def birth_message(discovery_prefix: str) -> Message:
    """What Home Assistant publishes when it has started, and needs all messages again."""
    return Message(f"{discovery_prefix}/status", b"online", qos=1)


def discovery_messages(device: str, prefix: str, discovery_prefix: str) -> list[Message]:
    """Announce the entities of `device`, which publishes below `prefix`."""
    # Home Assistant passes over a discovery topic with other letters than these. A letter's number
    # keeps two devices apart that differ in nothing else.
    node = "fer_edge_" + re.sub(r"[^A-Za-z0-9_-]", lambda other: f"u{ord(other[0]):x}", device)
    entities = _entities(prefix)
    common = {"platform": "sensor", "availability_topic": f"{prefix}/availability"}
    payload = {
        "device": {
            "identifiers": [node],
            "name": f"fer-edge {device}",
            "manufacturer": "fer-edge",
            "model": "Facial expression sensor",
            "sw_version": __version__,
        },
        "origin": {"name": "fer-edge", "sw_version": __version__},
        "components": {
            key: {**common, "unique_id": f"{node}_{key}", **entity}
            for key, entity in entities.items()
        },
    }
    return [Message(f"{discovery_prefix}/device/{node}/config", encode(payload), 1, retain=True)]


def _entities(prefix: str) -> dict[str, JsonObject]:
    state, diagnostics = f"{prefix}/state", f"{prefix}/diagnostics"
    measurement = {"state_class": "measurement"}
    return {
        "emotion": {
            "name": "Emotion",
            "icon": "mdi:emoticon-outline",
            "device_class": "enum",
            "options": [*(emotion.value for emotion in EMOTIONS), UNCERTAIN, NO_FACE],
            **_value(state, "emotion"),
        },
        "valence": {"name": "Valence", **measurement, **_value(state, "valence")},
        "arousal": {"name": "Arousal", **measurement, **_value(state, "arousal")},
        "faces": {
            "name": "Faces",
            "icon": "mdi:account-group",
            **measurement,
            **_value(state, "faces"),
        },
        "frame_rate": {
            "name": "Frame rate",
            "unit_of_measurement": "fps",
            "suggested_display_precision": 1,
            "entity_category": "diagnostic",
            **measurement,
            **_value(diagnostics, "frame_rate_out"),
        },
        "temperature": {
            "name": "Board temperature",
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            "entity_category": "diagnostic",
            **measurement,
            **_value(diagnostics, "temperature_c"),
        },
    }


def _value(topic: str, field: str) -> JsonObject:
    return {"state_topic": topic, "value_template": f"{{{{ value_json.{field} | default(none) }}}}"}
