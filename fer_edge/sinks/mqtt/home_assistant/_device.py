"""The message that announces the device with all its entities.

Device discovery, Home Assistant 2024.12 or later:
https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload. A template that finds no
value renders `None`, which Home Assistant shows as unknown.
"""

import re
from collections.abc import Sequence

from fer_edge import __version__
from fer_edge.sinks.mqtt.home_assistant._controls import controls
from fer_edge.sinks.mqtt.home_assistant._events import events, triggers
from fer_edge.sinks.mqtt.home_assistant._sensors import diagnostics, sensors
from fer_edge.sinks.mqtt.message import Message
from fer_edge.sinks.payload import JsonObject, encode


def birth_message(discovery_prefix: str) -> Message:
    """What Home Assistant publishes when it has started, and needs all messages again."""
    return Message(f"{discovery_prefix}/status", b"online", qos=1)


def discovery_topic(device: str, discovery_prefix: str) -> str:
    """Where a device is announced; an empty retained message there takes it away."""
    return f"{discovery_prefix}/device/{_node(device)}/config"


def discovery_messages(
    device: str,
    prefix: str,
    discovery_prefix: str,
    *,
    model_widths: Sequence[float] | None = None,
) -> list[Message]:
    """Announce the entities of `device`, which publishes below `prefix`.

    `model_widths` are the choices that commands have; None if the device takes no commands.
    """
    node = _node(device)
    entities = sensors(prefix) | diagnostics(prefix) | events(prefix)
    if model_widths is not None:
        entities |= controls(prefix, model_widths)
    payload = {
        "device": {
            "identifiers": [node],
            "name": f"fer-edge {device}",
            "manufacturer": "fer-edge",
            "model": "Facial expression sensor",
            "serial_number": device,
            "sw_version": __version__,
        },
        "origin": {"name": "fer-edge", "sw_version": __version__},
        "components": {key: _finished(node, key, entity) for key, entity in entities.items()}
        | triggers(prefix),
    }
    topic = discovery_topic(device, discovery_prefix)
    return [Message(topic, encode(payload), 1, retain=True)]


def _node(device: str) -> str:
    """Home Assistant passes over a discovery topic with other letters than these.

    A letter's number keeps two devices apart that differ in nothing else.
    """
    return "fer_edge_" + re.sub(r"[^A-Za-z0-9_-]", lambda other: f"u{ord(other[0]):x}", device)


def _finished(node: str, key: str, entity: JsonObject) -> JsonObject:
    """An entity with its name in Home Assistant's own registry, and the one it has in automations."""
    words = re.sub(r"[^a-z0-9]+", "_", f"{node}_{entity['name']}".lower())
    entity_id = f"{entity['platform']}.{words}"
    return {**entity, "unique_id": f"{node}_{key}", "default_entity_id": entity_id}
