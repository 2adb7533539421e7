"""A subscriber that comes back when its broker does, and remembers what counts."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from time import time
from typing import Any, Self

from broker import Broker, wait_for
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion


@dataclass(frozen=True)
class Seen:
    """A `faces` message with somebody in it."""

    at: float
    """time.time() when it came."""
    captured_at: float
    latency_ms: float
    width: int


class Watcher:
    """What the daemon of `prefix` published."""

    def __init__(self, broker: Broker, prefix: str, username: str, password: str) -> None:
        self.faces: list[Seen] = []
        self.last: dict[str, bytes] = {}
        """The newest payload of every topic."""
        self.counts: Counter[str] = Counter()
        """Messages of every topic, however old."""
        self.wrong: list[str] = []
        """Messages that no subscriber should ever get."""
        self._prefix = prefix
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(username, password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(f"{prefix}/#", 1), ("homeassistant/#", 1)]
        )
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        wait_for(self._client.is_connected)

    def json(self, name: str) -> Any:
        """The newest message on a topic of the daemon; an empty object before the first."""
        return json.loads(self.last.get(f"{self._prefix}/{name}") or b"{}")

    def text(self, name: str) -> str:
        """The same as text."""
        return self.last.get(f"{self._prefix}/{name}", b"").decode()

    def say(self, topic: str, payload: str | bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish; back when the broker has it."""
        self._client.publish(topic, payload, qos, retain).wait_for_publish(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_message = self._client.on_connect = None

    def _take(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.last[message.topic] = message.payload
        self.counts[message.topic] += 1
        if message.topic == f"{self._prefix}/faces":
            self._take_faces(json.loads(message.payload))

    def _take_faces(self, message: Any) -> None:
        if not message["faces"]:
            return
        captured_at = message["captured_at"]
        if any(face["since"] > captured_at for face in message["faces"]):
            self.wrong.append(f"since is later than captured_at {captured_at}")
        self.faces.append(
            Seen(
                time(),
                datetime.fromisoformat(captured_at).timestamp(),
                message["latency_ms"],
                message["frame"]["width"],
            )
        )
