"""Finds pictures in bytes: known pixels, picture formats, and whatever is not text in words."""

import re

CHUNK = 16
"""Any 32 consecutive bytes of a known picture hold a whole chunk of this length."""

VARIED = 8
"""Different values that a chunk needs at least: a plain wall looks like any other run of bytes."""

MAGIC = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WebP": rb"RIFF....WEBP",
    "video": rb"\x00\x00\x00\x01[\x65\x67\x68\x26\x40]|ftyp(?:isom|mp42|avc1)|\x1a\x45\xdf\xa3",
    "JPEG in base64": rb"/9j/[0-9A-Za-z+/]{4}",
    "PNG in base64": rb"iVBORw0KGgo",
    "JPEG in hexadecimal": rb"(?i)ffd8ffe[0-9a-f]",
}

BINARY = re.compile(
    rb"(?:[^\t\n\r\x20-\x7e]|(?<=[^\t\n\r\x20-\x7e])[\x20-\x7e](?=[^\t\n\r\x20-\x7e])){24,}"
)
"""More bytes on end that are no text than the header of a packet has; single letters may lie between."""

ENCODED = re.compile(rb"[0-9A-Za-z+/=_-]{128,}")
"""A longer word than any message has: base64, hexadecimal."""

NUMBERS = re.compile(rb"(?:\d{1,3}[,; \n]\s?){64,}")
"""A longer list of small numbers than any message has."""


def chunks_of(planes):
    """The chunks by which `find_pictures` knows these pictures, arrays of uint8, again."""
    known = set()
    for plane in planes:
        data = plane.tobytes()
        pieces = {data[n : n + CHUNK] for n in range(0, len(data) - CHUNK + 1, CHUNK)}
        known |= {piece for piece in pieces if len(set(piece)) >= VARIED}
    return known


def find_pictures(data, known=frozenset()):
    """What in `data` looks like a picture or a part of one, in words; empty for none."""
    found = [name for name, pattern in MAGIC.items() if re.search(pattern, data, re.DOTALL)]
    if any(data[n : n + CHUNK] in known for n in range(len(data) - CHUNK + 1)):
        found.append("pixels of the source")
    shapes = {"binary data": BINARY, "an encoded block": ENCODED, "a list of numbers": NUMBERS}
    found += [name for name, pattern in shapes.items() if pattern.search(data)]
    return found
