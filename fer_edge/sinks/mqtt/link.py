"""The connection to an MQTT broker: the one file that knows paho.

Every connection has a paho client of its own. So nothing can wait in a client for the next
connection, and a result handed to one that has just ended is never sent by another.
"""

import contextlib
import logging
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from fer_edge.config import RetryConfig
from fer_edge.sinks.mqtt.broker import Broker
from fer_edge.sinks.mqtt.message import MAX_PAYLOAD, Incoming, Message
from fer_edge.sinks.mqtt.retries import Outcome, Retries, explain_error
from fer_edge.stats import NS_PER_S, Counter
from fer_edge.worker import Worker

log = logging.getLogger(__name__)

MAX_OUTSTANDING = 16
"""Messages that paho may hold. It keeps QoS 0 without bound while a broker does not read: 1,915
packets and 96 MB were seen, `max_queued_messages_set(1)` notwithstanding."""

POLL_S = 0.1
"""How long the thread waits for data before it checks whether it should end."""

ACCEPT_S = 10.0
"""How long a broker may take to accept or refuse; paho would wait for the keep-alive, an hour maybe."""

DISCONNECT_S = 0.25
"""How long a connection may take to end by itself before it is cut."""


@dataclass(frozen=True)
class Announcements:
    """The messages that the broker gets on every connect."""

    will: Message
    """Published by the broker when the connection is lost."""
    online: Message
    """Published on a connect."""
    discovery: Sequence[Message] = ()
    """Published on a connect, and again …"""
    birth: Message | None = None
    """… whenever this message is received."""
    current: Callable[[], Sequence[Message]] = tuple
    """Called on a connect and after `birth`: what is published then, such as a retained state."""
    subscriptions: Sequence[str] = ()
    """More topics to receive, …"""
    on_message: Callable[[Incoming], None] | None = None
    """… and what is called for each of their messages, in the connection's thread; must be quick."""


class Connection:
    """A connection that the broker has accepted."""

    def __init__(self, client: Client, accepted_ns: int) -> None:
        self.accepted_ns = accepted_ns
        """When; on the clock of `Stamp.captured_ns`."""
        self.new_subscriber = False
        """Set when a subscriber has come that does not know the present state."""
        self._client = client
        self._outstanding: deque[MQTTMessageInfo] = deque()

    def send(self, message: Message) -> bool:
        """Hand to paho; False if it holds too much already, or the connection has just died."""
        while self._outstanding and self._outstanding[0].is_published():
            self._outstanding.popleft()
        if len(self._outstanding) >= MAX_OUTSTANDING:
            return False
        info = _publish(self._client, message)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        self._outstanding.append(info)
        return True

    def send_last(self, message: Message, timeout_s: float) -> bool:
        """Send, whatever else is waiting; whether it was acknowledged within `timeout_s`."""
        info = _publish(self._client, message)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        info.wait_for_publish(timeout_s)
        return info.is_published()

    def end(self) -> None:
        """Disconnect properly, so that the broker does not publish the last will; returns at once."""
        self._client.disconnect()

    def cut(self) -> None:
        """End without the broker's help; returns at once."""
        _shut_down(self._client)


class Link:
    """Keeps up a connection to the broker, in a thread of its own, until it is stopped."""

    def __init__(
        self,
        broker: Broker,
        announcements: Announcements,
        *,
        retry: RetryConfig,
        random: Callable[[], float],
        clock_ns: Callable[[], int],
    ) -> None:
        """Set up the connection.

        Args:
            broker: Where to connect.
            announcements: The messages that the broker gets on every connect.
            retry: How often to try again.
            random: Evenly between 0 and 1, for the waits.
            clock_ns: The clock of `Stamp.captured_ns`.
        """
        self.connection: Connection | None = None
        """The present one; None while there is none."""
        self.connects = Counter()
        """Connections so far."""
        self._broker = broker
        self._announcements = announcements
        self._retries = Retries(broker, retry, random=random, clock_ns=clock_ns)
        self._clock_ns = clock_ns
        self._outcome = Outcome()
        self._ending = False
        self._worker = Worker("mqtt", self._run)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._worker.start()

    def check(self) -> None:
        """See that the connection's thread is alive.

        Raises:
            BaseException: what ended it, which no broker can have done.
        """
        if self._worker.error is not None:
            raise self._worker.error

    def stop(self) -> None:
        """End, if need be without the broker's help; takes at most a third of a second."""
        self._ending = True
        connection = self.connection
        if connection is not None:
            connection.end()
        # Only now: a thread that is asked to stop leaves when it has nothing more to write.
        self._worker.stop()
        if self._worker.join(DISCONNECT_S):
            return
        if connection is not None:
            connection.cut()
        if not self._worker.join(POLL_S):
            log.warning("mqtt: still waiting for %s; left behind", self._broker)

    def _run(self, worker: Worker) -> None:
        while not self._ending:
            outcome = self._outcome = Outcome()
            self._run_connection(worker)
            if not self._ending:
                worker.pause(self._retries.next_wait_s(outcome))

    def _run_connection(self, worker: Worker) -> None:
        """One connection from its begin to its end."""
        client = self._make_client()
        broker = self._broker
        try:
            client.connect(broker.host, broker.port, broker.keepalive_s)
            deadline_ns = self._clock_ns() + ACCEPT_S * NS_PER_S
            while client.loop(POLL_S) == MQTTErrorCode.MQTT_ERR_SUCCESS:
                if worker.stopping and not client.want_write():
                    return
                if self._outcome.accepted_ns is None and self._clock_ns() > deadline_ns:
                    self._outcome.reason = "takes the connection, but does not answer"
                    return
        except OSError as error:
            self._outcome.reason = explain_error(error)
        except Exception as error:  # noqa: BLE001 - what answers there need not be a broker
            self._outcome.reason = f"its answer is not MQTT ({type(error).__name__})"
        finally:
            self.connection = None
            _close(client)

    def _make_client(self) -> Client:
        broker = self._broker
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=MQTTProtocolVersion.MQTTv5
            if broker.version == "5"
            else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            client.tls_set_context(broker.tls)
        will = self._announcements.will
        client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = _no_delay
        # With a callback here paho leaves writing to `loop`, in this thread; without one,
        # `publish` would write in the caller's thread, in the middle of a packet perhaps.
        client.on_socket_register_write = _leave_to_loop
        return client

    def _on_connect(
        self, client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._outcome.refusal = str(reason)
            return
        self._outcome.accepted_ns = self._clock_ns()
        self.connects.add()
        _publish(client, self._announcements.online)
        birth = self._announcements.birth
        if birth is not None:
            client.subscribe(birth.topic, birth.qos)
        for topic in self._announcements.subscriptions:
            client.subscribe(topic)
        self._announce(client)
        self._retries.connected()
        self.connection = Connection(client, self._outcome.accepted_ns)

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self.connection = None
        # paho calls a connection that broke off an unspecified error.
        self._outcome.reason = "connection closed" if reason == "Unspecified error" else str(reason)

    def _on_message(self, client: Client, _data: Any, message: Any) -> None:
        if len(message.payload) > MAX_PAYLOAD:
            return
        birth = self._announcements.birth
        if birth is not None and message.topic == birth.topic:
            if message.payload == birth.payload:
                self._announce(client)
                if self.connection is not None:
                    self.connection.new_subscriber = True
        elif self._announcements.on_message is not None:
            self._announcements.on_message(_incoming(message))

    def _announce(self, client: Client) -> None:
        for message in (*self._announcements.discovery, *self._announcements.current()):
            _publish(client, message)


def _incoming(message: Any) -> Incoming:
    properties = message.properties
    return Incoming(
        message.topic,
        bytes(message.payload),
        retained=message.retain,
        response_topic=getattr(properties, "ResponseTopic", None),
        correlation=getattr(properties, "CorrelationData", None),
    )


def _publish(client: Client, message: Message) -> MQTTMessageInfo:
    return client.publish(message.topic, message.payload, message.qos, message.retain)


def _no_delay(_client: Client, _data: Any, sock: Any) -> None:
    """Send small packets at once: else one may wait for the acknowledgement of the one before."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _leave_to_loop(_client: Client, _data: Any, _sock: Any) -> None:
    """`Client.loop` asks by itself what is to be written."""


def _shut_down(client: Client) -> None:
    """End both directions of the socket now; a thread that waits for it wakes up."""
    sock: Any = client.socket()
    if sock is not None:
        with contextlib.suppress(OSError):  # the other side was quicker
            # Past TLS, which would send what comes next unencrypted.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _close(client: Client) -> None:
    sock: Any = client.socket()
    if sock is not None:
        sock.close()
