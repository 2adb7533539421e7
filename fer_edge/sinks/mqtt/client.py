"""The client library as the connection needs it: the one file that knows paho."""

import socket
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fer_edge.sinks.mqtt.broker import Broker
from fer_edge.sinks.mqtt.message import MAX_PAYLOAD, Incoming, Message
from fer_edge.sinks.mqtt.sieve import Sieve
from fer_edge.sinks.mqtt.window import Window

MAX_PACKET = 2 * MAX_PAYLOAD
"""Bytes of a packet from the broker: a payload, its topic and properties."""

OK = MQTTErrorCode.MQTT_ERR_SUCCESS

TAKEN_OVER = 0x8E
"""Reason code of MQTT 5: another client with the same identifier has connected."""


class SieveClient(Client):
    """A client that reads through a sieve."""

    def __init__(self, broker: Broker, will: Message, *, clock_ns: Callable[[], int]) -> None:
        """Set up for one connection.

        Args:
            broker: Where to connect.
            will: Published by the broker when the connection is lost.
            clock_ns: The clock of `Sieve.heard_ns`.
        """
        self._v5 = broker.version == "5"
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._broker = broker
        self._clock_ns = clock_ns
        self.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            self.tls_set_context(broker.tls)
        self.will_set(will.topic, will.payload, will.qos, will.retain)
        # With a callback here paho leaves writing to `loop`, in the connection's thread; without
        # one, `publish` would write in the caller's thread, in the middle of a packet perhaps.
        self.on_socket_register_write = _leave_to_loop

    @property
    def sieve(self) -> Sieve | None:
        """What it reads through; None without a connection."""
        sieve: Any = self.socket()
        return sieve if isinstance(sieve, Sieve) else None

    def open(self) -> None:
        """Connect.

        Raises:
            OSError: nobody answers there, or the certificate is wrong.
        """
        properties = self._properties(PacketTypes.CONNECT, MaximumPacketSize=MAX_PACKET)
        broker = self._broker
        self.connect(broker.host, broker.port, broker.keepalive_s, properties=properties)

    def send(self, message: Message) -> MQTTMessageInfo:
        """Hand over a message."""
        properties = self._properties(
            PacketTypes.PUBLISH,
            ContentType=message.content_type,
            MessageExpiryInterval=message.expiry_s,
            CorrelationData=message.correlation,
        )
        return self.publish(message.topic, message.payload, message.qos, message.retain, properties)

    def _properties(self, packet: int, **values: Any) -> Properties | None:
        """Those that are given; None where the protocol has none."""
        if not self._v5:
            return None
        properties = Properties(packet)  # type: ignore[no-untyped-call]
        for name, value in values.items():
            if value is not None:
                setattr(properties, name, value)
        return properties

    def _create_socket(self) -> Any:
        sock: Any = super()._create_socket()
        # Small packets go at once: else one may wait for the acknowledgement of the one before.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Sieve(sock, MAX_PACKET, clock_ns=self._clock_ns)


class Connection:
    """A connection that the broker has accepted.

    After each message it asks the broker to end a subscription that it does not have. The broker
    reads packets one after the other and must answer this one, so the answer tells that the message
    has arrived. Messages need no QoS 1 for that, with which a broker would keep them for subscribers
    that are away.
    """

    def __init__(
        self, client: SieveClient, window: Window, *, accepted_ns: int, unused_topic: str
    ) -> None:
        """Send through `client`.

        Args:
            client: Has the connection.
            window: Limits what is under way.
            accepted_ns: When the broker had accepted; on the clock of `Stamp.captured_ns`.
            unused_topic: A topic that is never subscribed to.
        """
        self.accepted_ns = accepted_ns
        """When; on the clock of `Stamp.captured_ns`."""
        self.window = window
        """What the broker has not acknowledged."""
        self.new_subscriber = False
        """Set when a subscriber has come that does not know the present state."""
        self._client = client
        self._unused_topic = unused_topic

    def send(self, message: Message) -> bool:
        """Send; False if too much is under way already, or the connection has just died."""
        if not self.window.take(message.topic, len(message.payload)):
            return False
        info = self._client.send(message)
        return info.rc == OK and self._ask_for_answer()

    def announce(self, messages: Sequence[Message]) -> None:
        """Send all of them, whatever is under way."""
        self.window.add("", sum(len(message.payload) for message in messages))
        for message in messages:
            self._client.send(message)
        self._ask_for_answer()

    def send_last(self, message: Message, timeout_s: float) -> bool:
        """Send, whatever else is waiting; whether it was acknowledged within `timeout_s`."""
        info = self._client.send(message)
        if info.rc != OK:
            return False
        info.wait_for_publish(timeout_s)
        return info.is_published()

    def end(self) -> None:
        """Disconnect properly, so that the broker does not publish the last will; returns at once."""
        self._client.disconnect()

    def cut(self) -> None:
        """End without the broker's help; returns at once."""
        if (sieve := self._client.sieve) is not None:
            sieve.shut_down()

    def overdue(self) -> bool:
        """Whether the broker should have answered long ago."""
        sieve = self._client.sieve
        return sieve is not None and self.window.overdue(sieve.heard_ns)

    def _ask_for_answer(self) -> bool:
        result, _ = self._client.unsubscribe(self._unused_topic)
        return result == OK


def incoming(message: Any) -> Incoming:
    """A message of the library as one of ours."""
    properties = message.properties
    return Incoming(
        message.topic,
        bytes(message.payload),
        retained=message.retain,
        response_topic=getattr(properties, "ResponseTopic", None),
        correlation=getattr(properties, "CorrelationData", None),
    )


def _leave_to_loop(_client: Client, _data: Any, _sock: Any) -> None:
    """`Client.loop` asks by itself what is to be written."""
