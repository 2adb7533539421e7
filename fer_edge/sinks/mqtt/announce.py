"""What a broker gets on every connect, and what takes an earlier announcement back."""

from collections.abc import Sequence
from typing import Any

from fer_edge.config import MqttConfig
from fer_edge.sinks.mqtt.commands import Commands
from fer_edge.sinks.mqtt.home_assistant import (
    birth_message,
    discovery_messages,
    discovery_topic,
)
from fer_edge.sinks.mqtt.link import Announcements
from fer_edge.sinks.mqtt.message import Message
from fer_edge.statefile import StateFile

REMEMBERED = "announced"
"""Name in the state file: where the device was announced, and below which prefix it published."""

RETAINED = ("availability", "camera", "settings")
"""Topics below the prefix that a broker keeps."""


def announce(
    config: MqttConfig,
    device: str,
    prefix: str,
    commands: Commands | None,
    state: StateFile | None,
) -> Announcements:
    """What is published on a connect.

    A device that is called otherwise since its last run, or is announced no longer, takes its old
    announcement back.
    """
    home = config.discovery_prefix if config.home_assistant else None
    discovery: list[Message] = []
    if home is not None:
        widths = commands.model_widths if commands else None
        discovery = discovery_messages(device, prefix, home, model_widths=widths)
    if state is not None:
        old = state.get(REMEMBERED)
        discovery += _take_back(old, _announced(config, device, prefix), prefix)
    return Announcements(
        will=availability(prefix, b"offline"),
        online=availability(prefix, b"online"),
        discovery=discovery,
        birth=None if home is None else birth_message(home),
        subscriptions=() if commands is None else (commands.topic,),
        on_message=None if commands is None else commands.receive,
    )


def remember(config: MqttConfig, device: str, prefix: str, state: StateFile | None) -> None:
    """Note what a broker has been told."""
    if state is not None:
        state.put(REMEMBERED, _announced(config, device, prefix))


def availability(prefix: str, payload: bytes) -> Message:
    """Whether the device is connected."""
    return Message(f"{prefix}/availability", payload, qos=1, retain=True)


def removal(topic: str, prefix: str | None) -> list[Message]:
    """Make a broker forget a device: its announcement, and what it keeps below `prefix`."""
    topics = [topic]
    if prefix is not None:
        topics += [f"{prefix}/{name}" for name in RETAINED]
    return [Message(one, b"", 1, retain=True) for one in topics]


def _announced(config: MqttConfig, device: str, prefix: str) -> dict[str, str] | None:
    if not config.home_assistant:
        return None
    return {"topic": discovery_topic(device, config.discovery_prefix), "prefix": prefix}


def _take_back(old: Any, new: dict[str, str] | None, prefix: str) -> Sequence[Message]:
    if not isinstance(old, dict) or old == new or not isinstance(old.get("topic"), str):
        return ()
    other = old.get("prefix") if old.get("prefix") != prefix else None
    messages = removal(old["topic"], other if isinstance(other, str) else None)
    return messages[1:] if new is not None and old["topic"] == new["topic"] else messages
