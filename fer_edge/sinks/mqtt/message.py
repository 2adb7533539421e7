"""A message on its way to a broker, in front of the client library."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What is published where, and how."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
