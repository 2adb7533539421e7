"""Entities that change a setting; each shows what the device itself publishes in `settings`."""

from collections.abc import Sequence

from fer_edge.sinks.mqtt.commands import PRESS, RESTART
from fer_edge.sinks.mqtt.home_assistant._entity import CONFIG, device_available, value
from fer_edge.sinks.payload import JsonObject


def controls(prefix: str, model_widths: Sequence[float]) -> dict[str, JsonObject]:
    """A switch, a choice, two numbers and a button."""
    settings = f"{prefix}/settings"
    entities: dict[str, JsonObject] = {
        "recognition": {
            "platform": "switch",
            "name": "Recognition",
            "icon": "mdi:eye",
            "state_topic": settings,
            "value_template": "{{ 'ON' if value_json.recognition else 'OFF' }}",
        },
        "model_width": {
            "platform": "select",
            "name": "Model width",
            "icon": "mdi:brain",
            "options": [str(width) for width in model_widths],
            **CONFIG,
            **value(settings, "model_width"),
        },
        "min_confidence": {
            "platform": "number",
            "name": "Confidence threshold",
            "icon": "mdi:filter-outline",
            "min": 0,
            "max": 1,
            "step": 0.01,
            "mode": "box",
            **CONFIG,
            **value(settings, "min_confidence"),
        },
        "smoothing": {
            "platform": "number",
            "name": "Smoothing",
            "icon": "mdi:chart-bell-curve",
            "unit_of_measurement": "s",
            "min": 0,
            "max": 60,
            "step": 0.1,
            "mode": "box",
            **CONFIG,
            **value(settings, "smoothing"),
        },
        RESTART: {
            "platform": "button",
            "name": "Restart",
            "device_class": "restart",
            "payload_press": PRESS,
            **CONFIG,
        },
    }
    return {
        key: {
            **entity,
            "command_topic": f"{prefix}/set/{key}",
            "qos": 1,
            **device_available(prefix),
        }
        for key, entity in entities.items()
    }
