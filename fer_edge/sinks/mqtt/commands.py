"""Commands from a broker: `<prefix>/set/<name>` changes a setting, or restarts the service."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from fer_edge.mailbox import Mailbox
from fer_edge.settings import Adjustable, Settings
from fer_edge.sinks.mqtt.message import Incoming, Message
from fer_edge.sinks.payload import JsonObject, encode, timestamp

log = logging.getLogger(__name__)

SETTINGS_SCHEMA = "fer-edge/settings/1"
ERROR_SCHEMA = "fer-edge/error/1"

RESTART = "restart"
PRESS = "PRESS"
"""What the restart command says; anything else is a mistake."""

WAITING = 16
"""Commands that may wait; the oldest of more is lost."""

MAX_SHOWN = 80
"""Characters of a wrong value that are repeated."""


class Commands:
    """Receives commands in one thread, and carries them out in another."""

    def __init__(
        self,
        device: str,
        prefix: str,
        controls: Adjustable,
        *,
        send: Callable[[Message], bool],
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Set up; `send` is called in the thread of `work`, and says whether there was room."""
        self._device = device
        self._prefix = prefix
        self._controls = controls
        self._send = send
        self._utc = utc
        self._inbox: Mailbox[Incoming] = Mailbox(WAITING)
        self._told: Settings | None = None
        self._told_of_retained = False

    @property
    def model_widths(self) -> tuple[float, ...]:
        """Values that the model's width may take."""
        return self._controls.model_widths

    @property
    def topic(self) -> str:
        """What to subscribe to."""
        return f"{self._prefix}/set/+"

    def receive(self, message: Incoming) -> None:
        """Take a message of `topic`; returns at once."""
        if message.topic.startswith(f"{self._prefix}/set/"):
            self._inbox.put(message)

    def connected(self) -> None:
        """A connection began: the settings are published again."""
        self._told = None

    def work(self) -> None:
        """Carry out what has come since, and publish the settings if they are others now."""
        while (message := self._inbox.get(0)) is not None:
            self._obey(message)
        self._publish_settings()

    def _obey(self, message: Incoming) -> None:
        name = message.topic.rpartition("/")[2]
        if message.retained:
            self._refuse_retained(name)
            return
        try:
            value = message.payload.decode().strip()
        except UnicodeDecodeError:
            self._refuse(name, "", "is not text in UTF-8")
            return
        if name == RESTART:
            if value == PRESS:
                self._controls.restart()
            else:
                self._refuse(name, value, f"write {PRESS}")
            return
        reason = self._controls.adjust(name, value)
        if reason is not None:
            self._refuse(name, value, reason)

    def _refuse_retained(self, name: str) -> None:
        """A command that a broker has kept says what somebody wanted once, not what is wanted now."""
        if self._told_of_retained:
            return
        self._told_of_retained = True
        self._refuse(name, "", "retained commands are ignored; publish it without the retain flag")

    def _refuse(self, name: str, value: str, reason: str) -> None:
        reason = " ".join(reason.split())
        log.warning("mqtt: %s/set/%s: %s", self._prefix, name[:MAX_SHOWN], reason)
        self._publish(
            "error",
            {
                "schema": ERROR_SCHEMA,
                "device": self._device,
                "at": timestamp(self._utc()),
                "field": name,
                "value": value[:MAX_SHOWN],
                "reason": reason,
            },
            retain=False,
        )

    def _publish_settings(self) -> None:
        settings = self._controls.settings
        if settings == self._told:
            return
        message: JsonObject = {"schema": SETTINGS_SCHEMA, "device": self._device}
        if self._publish("settings", message | asdict(settings), retain=True):
            self._told = settings

    def _publish(self, topic: str, payload: JsonObject, *, retain: bool) -> bool:
        return self._send(Message(f"{self._prefix}/{topic}", encode(payload), 1, retain))
