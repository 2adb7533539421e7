"""JPEGs out of what an MJPEG camera sends: parts of multipart/x-mixed-replace, or one JPEG after another.

A part has a header, a length or not, and a boundary line before it (RFC 2046, section 5.1). Cameras
differ in how they write them, so what counts are the JPEG's own marks; the header serves to skip
`Content-Length` bytes at once. Whatever the sender does, no more than the limits is kept.
"""

from collections.abc import Callable
from typing import Final

from fer_edge.errors import SourceLostError
from fer_edge.sources._jpeg import EOI, SOI, STANDALONE, START_OF_SCAN

MAX_PART: Final = 32 * 2**20
"""Bytes of one picture; the largest that is configurable, 9152x6944, has some 20 MB at the best quality."""
MAX_HEADER: Final = 16 * 2**10
"""Bytes between two pictures: boundary and header."""
CHUNK: Final = 64 * 2**10


class JpegSplitter:
    """Cuts a stream of bytes into JPEGs."""

    def __init__(self, read: Callable[[int], bytes], begin: bytes = b"") -> None:
        """After `begin` read on from `read`, which gives up to so many bytes, and none at the end."""
        self._read = read
        self._data = bytearray(begin)

    def next(self) -> bytes | None:
        """The next JPEG, from its first mark to its last; None at the end.

        Raises:
            SourceLostError: a header or a picture exceeds its limit.
        """
        start = self._find(SOI + b"\xff", 0, MAX_HEADER, "header")
        if start < 0:
            return None
        length = _content_length(bytes(self._data[:start]))
        del self._data[:start]
        end = self._known_end(length) if length else 0
        if not end:
            # After the end mark may come padding, then a boundary, a header or the next picture.
            found = self._find(EOI, self._scan_start(), MAX_PART, "picture")
            if found < 0:
                return None
            end = found + len(EOI)
        picture = bytes(self._data[:end])
        del self._data[:end]
        return picture

    def _known_end(self, length: int) -> int:
        """Where the part ends whose header gives a length; 0 if that cannot be right."""
        if length > MAX_PART:
            raise SourceLostError(_too_large("picture", MAX_PART))
        while len(self._data) < length:
            if not self._more():
                return 0
        # A thumbnail within it has marks of its own, which a length passes over.
        return length if EOI in self._data[max(2, length - 1024) : length] else 0

    def _scan_start(self) -> int:
        """Position of the picture's own data: a thumbnail in a segment before has an end mark too."""
        position = len(SOI)
        while position < MAX_PART:
            while len(self._data) < position + 4:
                if not self._more():
                    return len(SOI)
            if self._data[position] != 0xFF:
                break
            marker = self._data[position + 1]
            if marker == 0xFF:  # a fill byte
                position += 1
            elif marker == START_OF_SCAN or marker in STANDALONE:
                break
            else:
                position += 2 + int.from_bytes(self._data[position + 2 : position + 4], "big")
        return position

    def _find(self, mark: bytes, start: int, limit: int, what: str) -> int:
        """Position of the mark, reading on until it is there; -1 at the end."""
        while (found := self._data.find(mark, start)) < 0:
            if len(self._data) > limit:
                raise SourceLostError(_too_large(what, limit))
            start = max(start, len(self._data) - len(mark) + 1)
            if not self._more():
                return -1
        if found > limit:
            raise SourceLostError(_too_large(what, limit))
        return found

    def _more(self) -> bool:
        data = self._read(CHUNK)
        self._data += data
        return bool(data)


def _content_length(header: bytes) -> int:
    """Of a part; 0 where it is not given, or is no number."""
    for line in header.splitlines():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value.strip()[:12])
    return 0


def _too_large(what: str, limit: int) -> str:
    size = f"{limit >> 20} MB" if limit >= 2**20 else f"{limit >> 10} kB"
    return f"sends a {what} of more than {size}; check the camera and its path"
