"""The connection to an MQTT broker.

Every connection has a client of its own. So nothing can wait in a client for the next connection,
and a result handed to one that has just ended is never sent by another.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fer_edge.config import RetryConfig
from fer_edge.sinks.mqtt.broker import Broker
from fer_edge.sinks.mqtt.client import OK, TAKEN_OVER, Connection, SieveClient, incoming
from fer_edge.sinks.mqtt.message import MAX_PAYLOAD, Incoming, Message
from fer_edge.sinks.mqtt.retries import Outcome, Retries, explain_error, explain_refusal
from fer_edge.sinks.mqtt.window import Window
from fer_edge.stats import NS_PER_S, Counter
from fer_edge.worker import Worker

log = logging.getLogger(__name__)

UNSPECIFIED = "Unspecified error"
"""What the client library calls a connection that broke off, and a refusal without a reason."""

POLL_S = 0.1
"""How long the thread waits for data before it checks whether it should end."""

ACCEPT_S = 10.0
"""How long a broker may take to accept or refuse; paho would wait for the keep-alive, an hour maybe."""

ANNOUNCE_S = 5.0
"""Least time between two announcements, however often they are asked for."""

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
        self._asked: dict[int, str] = {}
        """Topics about which the broker was asked, by the number of the packet."""
        self._complaints: set[str] = set()
        self._opened_ns = self._accepted_ns = self._announced_ns = 0
        self._born = False
        """Whether a subscriber has come that is not told of us yet."""
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
        try:
            client.open()
            self._opened_ns = self._clock_ns()
            while client.loop(POLL_S) == OK:
                if worker.stopping and not client.want_write():
                    return
                if self._has_failed():
                    return
                self._answer_birth()
        except OSError as error:
            self._outcome.reason = explain_error(error)
        except Exception as error:  # noqa: BLE001 - what answers there need not be a broker
            self._outcome.reason = f"its answer is not MQTT ({type(error).__name__})"
        finally:
            self.connection = None
            if client.sieve is not None:
                # What the kernel has not sent yet is old by the time of the next connection.
                client.sieve.abort()

    def _has_failed(self) -> bool:
        """Whether the connection that `loop` takes for a good one is none."""
        connection, outcome = self.connection, self._outcome
        if connection is None:
            late = self._clock_ns() - self._opened_ns > ACCEPT_S * NS_PER_S
            if late:
                outcome.reason = "takes the connection, but does not answer"
            return late or outcome.refusal is not None
        self._retries.still_connected(connection.accepted_ns)
        if connection.overdue():
            outcome.reason = "no acknowledgement"
            return True
        return False

    def _make_client(self) -> SieveClient:
        client = SieveClient(self._broker, self._announcements.will, clock_ns=self._clock_ns)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._outcome.refusal = explain_refusal(str(reason))
            return
        self._asked = {}
        self._accepted_ns = self._clock_ns()
        # A connection is one only when this has arrived: an access list may forbid it.
        info = client.send(self._announcements.online)
        self._asked[info.mid] = self._announcements.online.topic

    def _on_publish(self, client: Any, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        topic = self._asked.pop(mid, None)
        if topic is None:
            if reason.is_failure:
                self._complain(f"{self._broker} does not take every message: {reason}")
        elif reason.is_failure:
            self._outcome.refusal = (
                f"it does not take {topic}: {reason}; let {self._broker.username or 'everybody'} "
                "write there in the broker's access list"
            )
        else:
            self._begin(client)

    def _begin(self, client: SieveClient) -> None:
        """The broker takes our messages."""
        now_ns = self._clock_ns()
        self._outcome.accepted_ns = now_ns
        self.connects.add()
        birth = self._announcements.birth
        for topic in (*self._announcements.subscriptions, *([birth.topic] if birth else [])):
            # QoS 0: one that is too large to be read can never be acknowledged.
            _, mid = client.subscribe(topic)
            if mid is not None:
                self._asked[mid] = topic
        self._retries.connected()
        connection = Connection(
            client,
            Window(first_answer_ns=now_ns - self._accepted_ns, clock_ns=self._clock_ns),
            accepted_ns=now_ns,
            unused_topic=self._announcements.will.topic,
        )
        self._announce(connection)
        self.connection = connection

    def _on_subscribe(
        self, _client: Any, _data: Any, mid: int, reasons: Any, _properties: Any
    ) -> None:
        topic = self._asked.pop(mid, "")
        for reason in reasons:
            if reason.is_failure:
                why = "" if reason == UNSPECIFIED else f" ({reason})"  # 3.1.1 gives no reason
                self._complain(
                    f"{self._broker} does not let us receive {topic}{why}; let "
                    f"{self._broker.username or 'everybody'} read there in the broker's access list"
                )

    def _on_unsubscribe(self, *_: Any) -> None:
        if self.connection is not None:
            self.connection.window.acknowledge()

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self.connection = None
        broke_off = reason == UNSPECIFIED
        self._outcome.reason = "connection closed" if broke_off else str(reason)
        self._outcome.taken_over = reason.value == TAKEN_OVER
        self._outcome.closed = broke_off or self._outcome.taken_over

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        if len(message.payload) > MAX_PAYLOAD:
            return
        birth = self._announcements.birth
        if birth is not None and message.topic == birth.topic:
            self._born = self._born or message.payload == birth.payload
        elif self._announcements.on_message is not None:
            self._announcements.on_message(incoming(message))

    def _answer_birth(self) -> None:
        """Announce again, if a subscriber has come and the last time is long enough ago."""
        connection = self.connection
        waited_ns = self._clock_ns() - self._announced_ns
        if self._born and connection is not None and waited_ns >= ANNOUNCE_S * NS_PER_S:
            self._announce(connection)
            connection.new_subscriber = True

    def _announce(self, connection: Connection) -> None:
        self._born = False
        self._announced_ns = self._clock_ns()
        connection.announce((*self._announcements.discovery, *self._announcements.current()))

    def _complain(self, complaint: str) -> None:
        """One line for each complaint in the run of the service."""
        if complaint not in self._complaints:
            self._complaints.add(complaint)
            log.warning("mqtt: %s", complaint)
