"""A socket that lets no large MQTT packet through.

The client library gathers a packet in memory until it is complete, and a protocol of 1999 allows
256 MB. MQTT 5 can tell a broker to send nothing large, 3.1.1 cannot.
"""

import contextlib
import socket
import struct
from collections.abc import Callable

PUBLISH = 0x30
LENGTH_BYTES = 4
"""Most bytes in which a packet's length is written (MQTT 5, section 1.5.5; 3.1.1, section 2.2.3)."""
CHUNK = 65536
MAX_CHUNKS = 100
"""Read in a row of what is thrown away; then other work gets its turn."""


class Sieve:
    """Stands between the client library and a non-blocking socket, plain or TLS.

    A message that is too large is read and thrown away in small pieces; another packet that is too
    large ends the connection.
    """

    def __init__(self, inner: socket.socket, limit: int, *, clock_ns: Callable[[], int]) -> None:
        """Pass packets of at most `limit` bytes after their header; `clock_ns` times `heard_ns`."""
        self.heard_ns = clock_ns()
        """When the broker's last bytes came; at first, when the connection was made."""
        self._inner = inner
        self._limit = limit
        self._clock_ns = clock_ns
        self._header = bytearray()
        """The begin of a packet, while its length is not known yet."""
        self._ready = bytearray()
        """The begin of a packet that is let through."""
        self._pass = 0
        """Bytes of the packet that are still to be let through."""
        self._skip = 0
        """Bytes of the packet that are still to be thrown away."""

    def recv(self, size: int) -> bytes:
        """At most `size` bytes; none if the other side has ended the connection.

        Raises:
            OSError: there is nothing to read now, the connection is lost, or a packet is too large.
        """
        for _ in range(MAX_CHUNKS):
            if self._ready:
                data = bytes(self._ready[:size])
                del self._ready[:size]
                return data
            if self._pass:
                data = self._receive(min(size, self._pass))
                self._pass -= len(data)
                return data
            data = self._receive(min(CHUNK, self._skip or 1))
            if not data:
                return b""
            if self._skip:
                self._skip -= len(data)
            else:
                self._add_to_header(data)
        raise BlockingIOError

    def send(self, data: bytes) -> int:
        """Write what there is room for; how many bytes that were."""
        return self._inner.send(data)

    def pending(self) -> int:
        """Bytes that can be read although the socket shows nothing new."""
        inner = getattr(self._inner, "pending", None)
        return len(self._ready) + (inner() if inner is not None else 0)

    def fileno(self) -> int:
        """The socket's number."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """As of a socket."""
        self._inner.setblocking(flag)

    def close(self) -> None:
        """As of a socket."""
        self._inner.close()

    def shut_down(self) -> None:
        """End both directions now; a thread that waits for the socket wakes up."""
        with contextlib.suppress(OSError):  # the other side was quicker
            # Past TLS, which would send what comes next unencrypted.
            socket.socket.shutdown(self._inner, socket.SHUT_RDWR)

    def abort(self) -> None:
        """Close, and have the kernel forget what it has not sent yet."""
        with contextlib.suppress(OSError):  # the other side was quicker
            self._inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._inner.close()

    def _receive(self, size: int) -> bytes:
        data = self._inner.recv(size)
        if data:
            self.heard_ns = self._clock_ns()
        return data

    def _add_to_header(self, byte: bytes) -> None:
        self._header += byte
        length = self._header[1:]
        # One byte more than is allowed is passed on: the library says that this is not MQTT.
        if not length or (length[-1] & 0x80 and len(length) <= LENGTH_BYTES):
            return
        header, self._header = self._header, bytearray()
        size = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(length))
        if size <= self._limit or len(length) > LENGTH_BYTES:
            self._ready, self._pass = header, size
        elif header[0] & 0xF0 == PUBLISH:
            self._skip = size
        else:
            raise ConnectionError(f"sent a packet of {size} bytes")
