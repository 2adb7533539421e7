"""A link to a broker that can be slow, or gone for a while without being closed."""

import contextlib
import socket
import threading
import time
from typing import Self

SLICE_S = 0.05
BUFFER = 4096
"""Bytes that the kernel may keep on each side: what is slow must not hide in buffers."""


class Proxy:
    """Hands on what comes, in both directions; ended by the end of the `with` block."""

    def __init__(self, port: int) -> None:
        """To `port` on loopback."""
        self._target = port
        self._server = socket.socket()
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._server.bind(("127.0.0.1", 0))
        self._server.listen()
        self.port: int = self._server.getsockname()[1]
        self._bytes_per_s: float | None = None
        self._open = threading.Event()
        self._open.set()
        self._ended = False
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://127.0.0.1:{self.port}"

    def limit(self, bytes_per_s: float | None) -> None:
        """From now on so fast, towards the broker; None for as fast as can be."""
        self._bytes_per_s = bytes_per_s

    def hold(self) -> None:
        """Hand on nothing; connections stay, and new ones are taken."""
        self._open.clear()

    def go_on(self) -> None:
        """Hand on again, first what has come since."""
        self._open.set()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._open.set()
        self._server.shutdown(socket.SHUT_RDWR)
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in (self._server, *self._sockets):
            sock.close()

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._sockets.append(client)
            with contextlib.suppress(OSError):
                broker = socket.create_connection(("127.0.0.1", self._target))
                self._sockets.append(broker)
                for pair in ((client, broker, True), (broker, client, False)):
                    thread = threading.Thread(target=self._hand_on, args=pair)
                    self._threads.append(thread)
                    thread.start()

    def _hand_on(self, source: socket.socket, target: socket.socket, limited: bool) -> None:
        with contextlib.suppress(OSError):
            while not self._ended:
                rate = self._bytes_per_s if limited else None
                data = source.recv(BUFFER if rate is None else max(1, int(rate * SLICE_S)))
                self._open.wait()
                if rate is not None:
                    time.sleep(len(data) / rate)
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
