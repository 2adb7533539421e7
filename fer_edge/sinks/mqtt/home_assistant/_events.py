"""What happens to faces: as event entities, and as triggers to pick from the device's list."""

from fer_edge.sinks.mqtt.home_assistant._entity import pictures_available
from fer_edge.sinks.payload import JsonObject

TYPES = {"face": ("appeared", "left"), "emotion": ("changed",)}
"""Kinds of events, and what can happen."""


def events(prefix: str) -> dict[str, JsonObject]:
    """One entity for each kind; all fields of a message are its attributes."""
    names = {
        "face": ("Face", "mdi:face-recognition"),
        "emotion": ("Emotion change", "mdi:emoticon"),
    }
    return {
        f"{kind}_event": {
            "platform": "event",
            "name": names[kind][0],
            "icon": names[kind][1],
            "event_types": list(types),
            "state_topic": f"{prefix}/events/{kind}",
            **pictures_available(prefix),
        }
        for kind, types in TYPES.items()
    }


def triggers(prefix: str) -> dict[str, JsonObject]:
    """The same as device triggers."""
    return {
        f"{kind}_{what}": {
            "platform": "device_automation",
            "automation_type": "trigger",
            "type": what,
            "subtype": kind,
            "topic": f"{prefix}/events/{kind}",
            "value_template": "{{ value_json.event_type }}",
            "payload": what,
        }
        for kind, types in TYPES.items()
        for what in types
    }
