"""Results to an MQTT broker."""

import random
import time
from collections.abc import Callable, Mapping, Sequence

from fer_edge.config import MqttConfig, RetryConfig
from fer_edge.sinks.mqtt.broker import find_broker
from fer_edge.sinks.mqtt.home_assistant import birth_message, discovery_messages
from fer_edge.sinks.mqtt.link import Announcements, Connection, Link
from fer_edge.sinks.mqtt.message import Message
from fer_edge.sinks.mqtt.schedule import Publisher
from fer_edge.types import Result

OFFLINE_S = 0.5
"""How long the broker may take at the end to acknowledge `offline`."""


class MqttSink:
    """Publishes while there is a connection; without one results are dropped, never stored.

    The connection is kept up by a thread of its own: a broker that is absent, restarts, hangs or
    refuses stops nobody.
    """

    name = "mqtt"

    def __init__(
        self,
        config: MqttConfig,
        device: str,
        *,
        retry: RetryConfig,
        diagnostics: Callable[[], Mapping[str, object]],
        zones: Sequence[str] = (),
        clock_ns: Callable[[], int] = time.monotonic_ns,
        random: Callable[[], float] = random.random,
    ) -> None:
        """Set up the publication.

        Args:
            config: Which broker, and how often.
            device: Name of this device, for topics and messages.
            retry: How often to try again.
            diagnostics: Values of the `diagnostics` message; called in the thread of `put`.
            zones: Names of the zones in which faces are counted.
            clock_ns: The clock of `Stamp.captured_ns`.
            random: Evenly between 0 and 1, for the waits.

        Raises:
            ConfigError: the configuration cannot be used.
        """
        prefix = config.prefix or f"fer-edge/{device}"
        self._offline = _availability(prefix, b"offline")
        self._diagnostics = diagnostics
        self._publisher = Publisher(
            device,
            prefix,
            send=self._send,
            diagnostics=self._all_diagnostics,
            max_rate_hz=config.max_rate_hz,
            diagnostics_s=config.diagnostics_s,
            zones=zones,
            clock_ns=clock_ns,
        )
        self._connection: Connection | None = None
        home = config.discovery_prefix if config.home_assistant else None
        self._link = Link(
            find_broker(config, device),
            Announcements(
                will=self._offline,
                online=_availability(prefix, b"online"),
                discovery=() if home is None else discovery_messages(device, prefix, home),
                birth=None if home is None else birth_message(home),
            ),
            retry=retry,
            random=random,
            clock_ns=clock_ns,
        )

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._link.start()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the present connection."""
        return self._link.connection is not None

    @property
    def dropped(self) -> int:
        """Messages that were dropped because the broker did not read."""
        return self._publisher.dropped.count

    def put(self, result: Result) -> None:
        """Publish what is due, if there is a connection."""
        if self._refresh_connection():
            self._publisher.put(result)

    def idle(self) -> None:
        """Publish what has become due."""
        if self._refresh_connection():
            self._publisher.idle()

    def close(self) -> None:
        """Publish `offline` and end; takes less than a second even if the broker hangs."""
        connection = self._link.connection
        if connection is not None:
            if self._refresh_connection():
                self._publisher.flush()
            connection.send_last(self._offline, OFFLINE_S)
        self._link.stop()
        self._connection = None

    def _refresh_connection(self) -> bool:
        """Whether there is a connection; nothing from before a new one is published."""
        self._link.check()
        connection = self._link.connection
        if connection is not self._connection:
            self._connection = connection
            if connection is not None:
                self._publisher.connected(connection.accepted_ns)
        if connection is not None and connection.new_subscriber:
            connection.new_subscriber = False
            self._publisher.repeat_state()
        return connection is not None

    def _send(self, message: Message) -> bool:
        return self._connection is not None and self._connection.send(message)

    def _all_diagnostics(self) -> Mapping[str, object]:
        connection = {
            "connects": self._link.connects.count,
            "dropped": self.dropped,
            "capture_to_publish_ms": self._publisher.latency.summary_ms(),
        }
        return {**self._diagnostics(), "mqtt": connection}


def _availability(prefix: str, payload: bytes) -> Message:
    return Message(f"{prefix}/availability", payload, qos=1, retain=True)
