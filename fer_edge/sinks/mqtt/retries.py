"""What is logged of each attempt to connect to a broker, and how long to wait before the next."""

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from fer_edge.backoff import Backoff
from fer_edge.config import RetryConfig
from fer_edge.sinks.mqtt.broker import Broker
from fer_edge.stats import NS_PER_S

log = logging.getLogger(__name__)

SHORT_CONNECTIONS = 3
"""After this many short connections in a row a second device of the same name is likely. Whichever of
the two comes to this number first gives way: the one that came last, as it loses its first one."""

GIVE_WAY_S = (60.0, 3600.0)
"""Waits of a device that gives way to another of the same name: the first, and the longest."""

ADVICE = {
    "Not authorized": "check mqtt.username and mqtt.password_file",
    "Bad user name or password": "check mqtt.username and mqtt.password_file",
    "Client identifier not valid": "set another mqtt.client_id",
    "Unsupported protocol version": "set mqtt.protocol to the other version",
}
"""What to do about a refusal, by its name in the client library."""

CERTIFICATE_ADVICE = {
    9: "check the clocks of this device and of the broker",
    10: "renew the broker's certificate, or check this device's clock",
    62: "write the name that is in the certificate into mqtt.url",
    64: "write the name that is in the certificate into mqtt.url",
}
"""What to do about a certificate, by OpenSSL's X509_V_ERR_ number: not valid yet, expired, another
name, another address."""


@dataclass
class Outcome:
    """How an attempt to connect went."""

    accepted_ns: int | None = None
    """When the broker accepted the connection; None if it did not."""
    refusal: str | None = None
    """Why the broker refused it, and what to do about it; None if it did not."""
    reason: str = "no answer"
    """Why the connection failed or ended."""
    closed: bool = False
    """Whether the other side ended it."""
    taken_over: bool = False
    """Whether it said that another client of the same name has connected; only MQTT 5 does."""


class Retries:
    """Remembers how the last attempts went."""

    def __init__(
        self,
        broker: Broker,
        retry: RetryConfig,
        *,
        random: Callable[[], float],
        clock_ns: Callable[[], int],
    ) -> None:
        """Set up without an attempt.

        Args:
            broker: Named in what is logged.
            retry: How often to try again.
            random: Evenly between 0 and 1, for the waits.
            clock_ns: The clock of `Outcome.accepted_ns`.
        """
        self._broker = broker
        self._max_s = retry.max_s
        self._backoff = Backoff(retry.initial_s, retry.max_s, random=random)
        self._clock_ns = clock_ns
        self._condition = ""
        self._short = 0
        """Short connections in a row that the other side ended."""
        self._give_way_s = GIVE_WAY_S[0]

    def connected(self) -> None:
        """Log that the broker has accepted a connection."""
        # While another device of the same name is about, only when it has lasted.
        if self._short < SHORT_CONNECTIONS:
            self._log_change(logging.INFO, f"connected to {self._broker}")

    def still_connected(self, accepted_ns: int) -> None:
        """Called again and again while a connection lasts that was accepted at `accepted_ns`."""
        if self._short and self._is_long(accepted_ns):
            self._lasted()
            self.connected()

    def next_wait_s(self, outcome: Outcome) -> float:
        """Log what an attempt that has ended came to; seconds until the next."""
        if outcome.refusal is not None:
            self._log_change(
                logging.ERROR,
                f"{self._broker} refused the connection: {outcome.refusal}; trying again until it works",
            )
            # The answer will stay the same for a while; asking often would only fill its log.
            return self._max_s
        if outcome.accepted_ns is None:
            if not outcome.closed:
                # The broker comes and goes; another device would not keep us from connecting.
                self._short = 0
            self._log_change(
                logging.WARNING,
                f"cannot reach {self._broker}: {outcome.reason}; trying again until it works",
            )
            return self._backoff.next()
        self._count(outcome, outcome.accepted_ns)
        if self._short >= SHORT_CONNECTIONS:
            return self._give_way(outcome)
        self._log_change(
            logging.WARNING,
            f"lost the connection to {self._broker}: {outcome.reason}; trying again",
        )
        return self._backoff.next()

    def _count(self, outcome: Outcome, accepted_ns: int) -> None:
        if self._is_long(accepted_ns):
            self._lasted()
        elif outcome.closed:
            self._short += 1

    def _is_long(self, accepted_ns: int) -> bool:
        return self._clock_ns() - accepted_ns > self._max_s * NS_PER_S

    def _lasted(self) -> None:
        self._backoff.reset()
        self._short = 0
        self._give_way_s = GIVE_WAY_S[0]

    def _give_way(self, outcome: Outcome) -> float:
        """Leave the broker to the other device, or both would take turns at being online."""
        client_id = self._broker.client_id
        who = f"another client calls itself {client_id} too"
        if not outcome.taken_over:
            who = f"the broker ends every connection at once, as if {who}"
        self._log_change(
            logging.ERROR,
            f"gave way at {self._broker}: {who}; give each device a name of its own (`device`, or "
            "mqtt.client_id and mqtt.prefix) and restart it; trying again after a minute, later once "
            "an hour",
        )
        wait_s, self._give_way_s = self._give_way_s, min(2 * self._give_way_s, GIVE_WAY_S[1])
        return wait_s

    def _log_change(self, level: int, condition: str) -> None:
        """One line for each change of condition, not for each attempt."""
        if condition != self._condition:
            self._condition = condition
            log.log(level, "mqtt: %s", condition)


def explain_error(error: OSError) -> str:
    """Why a connection failed, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = CERTIFICATE_ADVICE.get(error.verify_code, "check mqtt.ca_file")
        return f"{error.verify_message}; {advice}"
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason}); does its port speak TLS?"
    return error.strerror or str(error)


def explain_refusal(reason: str) -> str:
    """Why a broker refused, in the client library's words, and what to do about it."""
    return f"{reason}; {ADVICE.get(reason, 'its log may say more')}"
