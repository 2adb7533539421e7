"""Results to an MQTT broker."""

import random
import time
from collections.abc import Callable, Mapping, Sequence

from fer_edge.camera import CameraState
from fer_edge.config import MqttConfig, RetryConfig
from fer_edge.settings import Adjustable
from fer_edge.sinks.mqtt.announce import announce, remember
from fer_edge.sinks.mqtt.broker import find_broker
from fer_edge.sinks.mqtt.client import Connection
from fer_edge.sinks.mqtt.commands import Commands
from fer_edge.sinks.mqtt.link import Link
from fer_edge.sinks.mqtt.message import Message
from fer_edge.sinks.mqtt.schedule import Publisher
from fer_edge.statefile import StateFile
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
        camera: CameraState,
        controls: Adjustable | None = None,
        state: StateFile | None = None,
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
            camera: Whether there are pictures.
            controls: What commands change; without it none are taken.
            state: Where the announcement to Home Assistant is remembered.
            zones: Names of the zones in which faces are counted.
            clock_ns: The clock of `Stamp.captured_ns`.
            random: Evenly between 0 and 1, for the waits.

        Raises:
            ConfigError: the configuration cannot be used.
        """
        prefix = config.prefix or f"fer-edge/{device}"
        self._diagnostics = diagnostics
        self._publisher = Publisher(
            device,
            prefix,
            send=self._send,
            diagnostics=self._all_diagnostics,
            camera=lambda: camera.condition,
            max_rate_hz=config.max_rate_hz,
            diagnostics_s=config.diagnostics_s,
            zones=zones,
            clock_ns=clock_ns,
        )
        self._connection: Connection | None = None
        self._closing = False
        self._commands: Commands | None = None
        if controls is not None and config.takes_commands:
            self._commands = Commands(device, prefix, controls, send=self._send)
        self._remember: Callable[[], None] = lambda: remember(config, device, prefix, state)
        announcements = announce(config, device, prefix, self._commands, state, zones=zones)
        self._offline = announcements.will
        self._link = Link(
            find_broker(config, device),
            announcements,
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
        """Messages that were dropped because the broker had not acknowledged those before."""
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
                self._closing = True
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
                self._remember()
                if self._commands is not None:
                    self._commands.connected()
        if connection is not None and connection.new_subscriber:
            connection.new_subscriber = False
            self._publisher.repeat_state()
        if connection is not None and self._commands is not None:
            self._commands.work()
        return connection is not None

    def _send(self, message: Message) -> bool:
        if self._connection is None:
            return False
        if self._closing:
            # The last words, such as that nobody is in view: nothing newer can take their place.
            self._connection.announce([message])
            return True
        return self._connection.send(message)

    def _all_diagnostics(self) -> Mapping[str, object]:
        connection = {
            "connects": self._link.connects.count,
            "dropped": self.dropped,
            "queue_ms": self._connection.window.peak_ms() if self._connection else None,
            "capture_to_publish_ms": self._publisher.latency.summary_ms(),
        }
        return {**self._diagnostics(), "mqtt": connection}
