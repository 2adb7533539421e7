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
"""After this many short connections in a row a second device of the same name is likely."""


@dataclass
class Outcome:
    """How an attempt to connect went."""

    accepted_ns: int | None = None
    """When the broker accepted the connection; None if it did not."""
    refusal: str | None = None
    """Why the broker refused it; None if it did not."""
    reason: str = "no answer"
    """Why the connection failed or ended."""


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
        """Short connections in a row."""

    def connected(self) -> None:
        """Log that the broker has accepted a connection."""
        self._log_change(logging.INFO, f"connected to {self._broker}")

    def next_wait_s(self, outcome: Outcome) -> float:
        """Log what an attempt that has ended came to; seconds until the next."""
        if outcome.refusal is not None:
            self._log_change(
                logging.ERROR,
                f"{self._broker} refused the connection: {outcome.refusal}; "
                "check mqtt.username and mqtt.password_file; trying again until it works",
            )
            # The answer will stay the same for a while; asking often would only fill its log.
            return self._max_s
        if outcome.accepted_ns is None:
            self._log_change(
                logging.WARNING,
                f"cannot reach {self._broker}: {outcome.reason}; trying again until it works",
            )
        else:
            self._count_short(self._clock_ns() - outcome.accepted_ns)
            duplicate = f" (does another client call itself {self._broker.client_id}?)"
            self._log_change(
                logging.WARNING,
                f"lost the connection to {self._broker}: {outcome.reason}"
                f"{duplicate if self._short >= SHORT_CONNECTIONS else ''}; trying again",
            )
        return self._backoff.next()

    def _count_short(self, lasted_ns: int) -> None:
        # Two devices of one name end each other's connections: a short one is no success.
        if lasted_ns > self._max_s * NS_PER_S:
            self._backoff.reset()
            self._short = 0
        else:
            self._short += 1

    def _log_change(self, level: int, condition: str) -> None:
        """One line for each change of condition, not for each attempt."""
        if condition != self._condition:
            self._condition = condition
            log.log(level, "mqtt: %s", condition)


def explain_error(error: OSError) -> str:
    """Why a connection failed, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error.verify_message}; check mqtt.ca_file and the name in mqtt.url"
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason}); does its port speak TLS?"
    return error.strerror or str(error)
