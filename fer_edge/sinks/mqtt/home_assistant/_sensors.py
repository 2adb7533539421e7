"""Entities that show something."""

from fer_edge.camera import OFF, OPENING
from fer_edge.sinks.mqtt.home_assistant._entity import (
    DIAGNOSTIC,
    device_available,
    pictures_available,
    value,
)
from fer_edge.sinks.payload import NO_FACE, JsonObject
from fer_edge.types import EMOTIONS, UNCERTAIN

EMOTION = {
    "platform": "sensor",
    "device_class": "enum",
    "options": [*(emotion.value for emotion in EMOTIONS), UNCERTAIN, NO_FACE],
}


def sensors(prefix: str) -> dict[str, JsonObject]:
    """What the camera sees."""
    state = f"{prefix}/state"
    measured = {"platform": "sensor", "state_class": "measurement"}
    entities: dict[str, JsonObject] = {
        "emotion": {
            "name": "Emotion",
            "icon": "mdi:emoticon-outline",
            "json_attributes_topic": state,
            "json_attributes_template": "{{ {'since': value_json.since} | tojson }}",
            **EMOTION,
            **value(state, "emotion"),
        },
        "dominant": {
            "name": "Emotion of the last minute",
            "icon": "mdi:emoticon-outline",
            **EMOTION,
            **value(state, "dominant.emotion"),
        },
        "confidence": {
            "name": "Confidence",
            "icon": "mdi:check-decagram-outline",
            "unit_of_measurement": "%",
            "suggested_display_precision": 0,
            **measured,
            "state_topic": state,
            "value_template": (
                "{{ none if value_json.confidence is none else (value_json.confidence * 100) | round }}"
            ),
        },
        "valence": {"name": "Valence", "icon": "mdi:thumbs-up-down-outline", **measured},
        "arousal": {"name": "Arousal", "icon": "mdi:pulse", **measured},
        "faces": {
            "name": "Faces",
            "icon": "mdi:account-group",
            "suggested_display_precision": 0,
            **measured,
            **value(state, "faces"),
        },
        "presence": {
            "platform": "binary_sensor",
            "name": "Presence",
            "device_class": "occupancy",
            "state_topic": state,
            "value_template": (
                "{{ none if value_json.faces is none else 'ON' if value_json.faces else 'OFF' }}"
            ),
        },
    }
    for key in ("valence", "arousal"):
        entities[key] |= {"suggested_display_precision": 2, **value(state, key)}
    return {key: {**entity, **pictures_available(prefix)} for key, entity in entities.items()}


def diagnostics(prefix: str) -> dict[str, JsonObject]:
    """How the device is doing."""
    topic = f"{prefix}/diagnostics"
    measured = {"platform": "sensor", "state_class": "measurement"}
    entities: dict[str, JsonObject] = {
        "camera": {
            "platform": "binary_sensor",
            "name": "Camera",
            "device_class": "problem",
            "state_topic": f"{prefix}/camera",
            # A camera that somebody turned off is in order.
            "value_template": (
                f"{{{{ 'OFF' if value_json.available or value_json.reason in {[OFF, OPENING]} "
                "else 'ON' }}"
            ),
            "json_attributes_topic": f"{prefix}/camera",
            "json_attributes_template": (
                "{{ {'reason': value_json.reason, 'since': value_json.since} | tojson }}"
            ),
        },
        "frame_rate": {
            "name": "Frame rate",
            "icon": "mdi:filmstrip",
            "unit_of_measurement": "fps",
            "suggested_display_precision": 1,
            **measured,
            **value(topic, "frame_rate_out"),
        },
        "latency": {
            "name": "Latency",
            "device_class": "duration",
            "unit_of_measurement": "ms",
            "suggested_display_precision": 0,
            **measured,
            **value(topic, "latency_ms.capture_to_result.p50"),
        },
        "dropped": {
            "platform": "sensor",
            "name": "Dropped frames",
            "icon": "mdi:debug-step-over",
            "state_class": "total_increasing",
            "suggested_display_precision": 0,
            "state_topic": topic,
            "value_template": "{{ value_json.dropped.values() | sum }}",
        },
        "throttled": {
            "platform": "binary_sensor",
            "name": "Throttled",
            "device_class": "problem",
            "state_topic": topic,
            "value_template": (
                "{{ none if value_json.throttled is none else 'ON' if value_json.throttled else 'OFF' }}"
            ),
        },
        "temperature": {
            "name": "Board temperature",
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            "suggested_display_precision": 1,
            **measured,
            **value(topic, "temperature_c"),
        },
    }
    common = {**DIAGNOSTIC, **device_available(prefix)}
    return {key: {**entity, **common} for key, entity in entities.items()}
