"""Home Assistant: what makes the device and its entities appear there, and disappear again; pure."""

from fer_edge.sinks.mqtt.home_assistant._device import (
    birth_message,
    discovery_messages,
    discovery_topic,
)

__all__ = ["birth_message", "discovery_messages", "discovery_topic"]
