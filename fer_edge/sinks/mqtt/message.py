"""A message on its way to a broker, in front of the client library."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What is published where, and how."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


def encode(value: Mapping[str, Any]) -> bytes:
    """Compact JSON in UTF-8.

    Raises:
        ValueError: it holds a NaN or an infinity, which JSON does not have.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()
