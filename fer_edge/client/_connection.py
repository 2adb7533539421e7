"""The connection to the broker: the one file of the client that knows paho."""

import logging
import ssl
import sys
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from fer_edge.client._broker import Broker
from fer_edge.errors import BrokerRefusedError

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
FIRST_WAIT_S = 1
LONGEST_WAIT_S = 10

BUSY = frozenset({"Server unavailable", "Server busy"})
"""Refusals that a later attempt may not meet."""


class Connection:
    """Keeps up a connection in a thread of its own, and subscribes again after each loss."""

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        *,
        received: Callable[[str, bytes], None],
        refused: Callable[[Exception], None],
    ) -> None:
        """Not connected yet.

        Args:
            broker: Where to.
            topics: What to subscribe to.
            received: Called with topic and payload of each message, in the connection's thread.
            refused: Called with the reason when trying again is of no use.
        """
        self.connected = False
        """Whether the broker has accepted the present connection."""
        self._broker = broker
        self._topics = topics
        self._received = received
        self._refused = refused
        self._said = ""
        self._client: Client | None = None

    def start(self) -> None:
        """Begin to connect; returns at once."""
        client = self._client = Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set(self._broker.username, self._broker.password)
        if self._broker.tls is not None:
            client.tls_set_context(self._broker.tls)
        client.reconnect_delay_set(FIRST_WAIT_S, LONGEST_WAIT_S)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S)
        client.loop_start()

    def stop(self) -> None:
        """End the connection."""
        client, self._client = self._client, None
        if client is None:
            return
        client.disconnect()
        client.loop_stop()
        # Client and connection know each other; apart, the client closes all its sockets at once.
        client.on_connect = client.on_connect_fail = client.on_disconnect = None
        client.on_subscribe = client.on_message = None
        self.connected = False

    def _on_connect(
        self, client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if str(reason) in BUSY:
            self._say(logging.WARNING, f"{self._broker}: {reason}; trying again")
            return
        if reason.is_failure:
            self._give_up(
                client, f"{self._broker} refused the connection: {reason}; check the password"
            )
            return
        self.connected = True
        self._say(logging.INFO, f"connected to {self._broker}")
        client.subscribe([(topic, 1) for topic in self._topics])

    def _on_connect_fail(self, client: Client, _data: Any) -> None:
        error = sys.exception()  # paho calls this while it handles the error
        if isinstance(error, ssl.SSLCertVerificationError):
            self._give_up(
                client, f"{self._broker}: {error.verify_message}; check ca_file and the host"
            )
            return
        reason = getattr(error, "strerror", None) or error or "no answer"
        self._say(logging.WARNING, f"cannot reach {self._broker}: {reason}; trying again")

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if self.connected and reason.is_failure:
            self._say(logging.WARNING, f"lost the connection to {self._broker}; trying again")
        self.connected = False

    def _on_subscribe(
        self, client: Client, _data: Any, _mid: int, reasons: Any, _properties: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._give_up(client, f"{self._broker} does not let us read {', '.join(self._topics)}")

    def _on_message(self, _client: Client, _data: Any, message: Any) -> None:
        self._received(message.topic, message.payload)

    def _give_up(self, client: Client, reason: str) -> None:
        client.disconnect()
        self._refused(BrokerRefusedError(reason))

    def _say(self, level: int, what: str) -> None:
        """One line for each change, not for each attempt."""
        if what != self._said:
            self._said = what
            log.log(level, "%s", what)
