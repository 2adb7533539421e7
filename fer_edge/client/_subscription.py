"""A subscription: a `for` loop, an `async for` loop, or a function that is called."""

import asyncio
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from fer_edge.client._broker import Broker, find_broker
from fer_edge.client._connection import Connection
from fer_edge.client._waiting import MAX_DEVICES, Waiting
from fer_edge.client.messages import Faces
from fer_edge.errors import BrokerRefusedError, ConfigError
from fer_edge.worker import Worker

log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000
"""A longer message is no list of faces."""

POLL_S = 0.5
"""How often a thread that waits looks whether it should end, so that Ctrl-C works."""


class Subscription:
    """The `faces` messages of one device or of all; made by `subscribe`.

    It connects when it is entered (`with`), iterated or `call`ed, reconnects by itself, and ends
    with the loop. While the program is busy, newer messages replace older ones that wait.
    """

    def __init__(self, broker: Broker, device: str | None, prefix: str | None, keep: int) -> None:
        self.online: dict[str, bool] = {}
        """Last word of each device's `availability`, by the part of the topic before it."""
        self.invalid = 0
        """Messages that were no `faces` messages; the first is logged."""
        self._device = device
        self._waiting = Waiting(keep)
        self._worker: Worker | None = None
        self._deliverer: int | None = None
        self._started = False
        base = prefix or f"fer-edge/{device or '+'}"
        self._connection = Connection(
            broker,
            [f"{base}/faces", f"{base}/availability"],
            received=self._receive,
            refused=self._waiting.close,
        )

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the broker at present."""
        return self._connection.connected

    @property
    def dropped(self) -> int:
        """Messages that newer ones replaced before they were read."""
        return self._waiting.dropped

    def get(self, timeout_s: float | None = None) -> Faces | None:
        """The next message; None if none comes within `timeout_s`, or after `close`.

        Raises:
            BrokerRefusedError: the broker does not let us in; trying again would be of no use.
        """
        self._start()
        return self._waiting.get(timeout_s)

    def call(self, callback: Callable[[Faces], object]) -> Self:
        """Call `callback` with every message, in a thread of its own, until `close`; returns at once.

        An exception of `callback` is logged, and the next message comes all the same.
        """
        if self._worker is not None:
            raise ConfigError("call: this subscription calls a function already; make another")
        self._start()
        self._worker = Worker("fer-edge-client", lambda worker: self._deliver(worker, callback))
        self._worker.start()
        return self

    def close(self) -> None:
        """Disconnect; loops end.

        Raises:
            BrokerRefusedError: with `call`: the broker did not let us in.
        """
        self._waiting.close()
        if self._started:
            self._connection.stop()
        if self._worker is not None:
            self._worker.stop()
            if threading.get_ident() != self._deliverer:  # not called by the function itself
                self._worker.join(POLL_S * 4)
            if self._worker.error is not None:
                raise self._worker.error

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Faces]:
        mine = self._start()
        try:
            while (message := self.get(POLL_S)) or not self._waiting.closed:
                if message is not None:
                    yield message
        finally:
            if mine:
                self.close()

    async def __aiter__(self) -> AsyncIterator[Faces]:
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(changed.set)

        self._waiting.wake_with(wake)
        mine = self._start()
        try:
            while not self._waiting.closed:
                changed.clear()
                while (message := self._waiting.take()) is not None:
                    yield message
                if not self._waiting.closed:
                    await changed.wait()
            self._waiting.take()  # raises what ended it
        finally:
            self._waiting.wake_with(None)
            if mine:
                self.close()

    def _start(self) -> bool:
        """Whether this call was the first."""
        first, self._started = not self._started, True
        if first:
            self._connection.start()
        return first

    def _deliver(self, worker: Worker, callback: Callable[[Faces], object]) -> None:
        self._deliverer = threading.get_ident()
        while not worker.stopping:
            try:
                message = self._waiting.get(POLL_S)
            except BrokerRefusedError as error:
                log.error("%s", error)  # noqa: TRY400 - one line: the place says nothing
                raise
            if message is None:
                if self._waiting.closed:
                    return
                continue
            try:
                callback(message)
            except Exception:
                log.exception("the function that is called with each message failed")

    def _receive(self, topic: str, payload: bytes) -> None:
        base, _, kind = topic.rpartition("/")
        if kind == "availability":
            device = base.rpartition("/")[2]
            if device in self.online or len(self.online) < MAX_DEVICES:
                self.online[device] = payload == b"online"
            return
        if len(payload) > MAX_BYTES:
            self._refuse(topic, f"{len(payload)} bytes")
            return
        try:
            message = Faces.model_validate_json(payload)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            self._refuse(topic, f"{place}: {first['msg']}")
            return
        if self._device in {None, message.device}:
            self._waiting.put(message)

    def _refuse(self, topic: str, reason: str) -> None:
        self.invalid += 1
        if self.invalid == 1:
            log.warning("%s: not a faces message: %s; skipped, as will be others", topic, reason)


def subscribe(
    url: str,
    *,
    device: str | None = None,
    prefix: str | None = None,
    username: str | None = None,
    password: str | None = None,
    ca_file: Path | str | None = None,
    cert_file: Path | str | None = None,
    key_file: Path | str | None = None,
    keep: int = 1,
) -> Subscription:
    """The `faces` messages of one device, or of all at a broker.

    Args:
        url: mqtt://host[:port], or mqtts://host[:port] for TLS.
        device: Only this one; all without.
        prefix: Beginning of the topics, where `mqtt.prefix` of the device replaces `fer-edge/<device>`.
        username: User name at the broker.
        password: Its password.
        ca_file: Certificate authority in PEM; the system's without.
        cert_file: Client certificate in PEM.
        key_file: Its key in PEM, without a password.
        keep: How many messages of a device may wait to be read; older ones are dropped.

    Raises:
        ConfigError: an argument cannot be used, or two do not go together.
    """
    if device is not None and not re.fullmatch(r"[^/+#\0]+", device):
        raise ConfigError(f"device: {device!r}: a name without / + #")
    if keep < 1:
        raise ConfigError(f"keep: {keep}: at least 1")
    broker = find_broker(
        url,
        username=username,
        password=password,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )
    return Subscription(broker, device, prefix, keep)
