"""What several entities have in common."""

from fer_edge.sinks.payload import JsonObject

DIAGNOSTIC = {"entity_category": "diagnostic"}
CONFIG = {"entity_category": "config"}


def device_available(prefix: str) -> JsonObject:
    """Available while the device is connected."""
    return {"availability": [{"topic": f"{prefix}/availability"}]}


def pictures_available(prefix: str) -> JsonObject:
    """Available while the device is connected and its camera delivers pictures."""
    camera = {
        "topic": f"{prefix}/camera",
        "value_template": "{{ 'online' if value_json.available else 'offline' }}",
    }
    both = [{"topic": f"{prefix}/availability"}, camera]
    return {"availability": both, "availability_mode": "all"}


def value(topic: str, field: str) -> JsonObject:
    """The state is a field of a JSON message."""
    return {"state_topic": topic, "value_template": f"{{{{ value_json.{field} | default(none) }}}}"}
