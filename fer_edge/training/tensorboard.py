"""Figures for TensorBoard, written as it reads them; so no backend needs another's packages.

An event file is a row of records: length (8 bytes), its checksum, a protocol buffer ``Event``, its
checksum (`tensorflow/core/util/event.proto`, `tensorflow/core/lib/io/record_writer.h`).
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path

POLYNOMIAL = 0x82F63B78
"""Of CRC-32C (Castagnoli), reflected."""


class EventFile:
    """An event file in ``folder``; every call of ``write`` appends the figures of one step."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"events.out.tfevents.{time.time_ns() // 10**9}.{os.getpid()}"
        self._append(_text(3, b"brain.Event:2"))

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Append ``figures``, by tag, of ``step``."""
        values = b"".join(
            _text(1, _text(1, tag.encode()) + b"\x15" + struct.pack("<f", value))
            for tag, value in figures.items()
        )
        self._append(b"\x10" + _varint(step) + _text(5, values))

    def _append(self, event: bytes) -> None:
        event = b"\x09" + struct.pack("<d", time.time()) + event
        length = struct.pack("<Q", len(event))
        with self._path.open("ab") as file:
            file.write(length + _checksum(length) + event + _checksum(event))


def _text(field: int, content: bytes) -> bytes:
    """A field of bytes, a string or a message."""
    return bytes([field << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the least first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _checksum(content: bytes) -> bytes:
    """Masked CRC-32C."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
