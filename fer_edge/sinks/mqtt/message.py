"""Messages on their way to a broker and from it, in front of the client library."""

from dataclasses import dataclass

JSON = "application/json"
"""Content type of what is JSON."""

MAX_PAYLOAD = 4096
"""Bytes of a message from the broker; a longer one is dropped unread, whatever its topic."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published where, and how."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    content_type: str | None = None
    """MIME type; only MQTT 5 carries it."""
    expiry_s: int | None = None
    """After so many seconds a broker throws it away undelivered; only MQTT 5 carries it."""
    correlation: bytes | None = None
    """Names the request that this answers; only MQTT 5 carries it."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a broker delivered; at most `MAX_PAYLOAD` bytes."""

    topic: str
    payload: bytes
    retained: bool = False
    """Whether the broker had kept it, for how long nobody knows."""
    response_topic: str | None = None
    """Where an answer is wanted; only MQTT 5 carries it."""
    correlation: bytes | None = None
    """What the answer has to carry; only MQTT 5 carries it."""
