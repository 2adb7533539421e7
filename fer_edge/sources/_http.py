"""An MJPEG camera over HTTP, read by us: no more is kept than one picture, and no header is endless.

FFmpeg, which reads all other streams, keeps what it has of a part without a length until the next
boundary: a part without an end took 3.4 GB.
"""

import http.client
import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from fer_edge.errors import FrameError, SourceLostError
from fer_edge.sources._address import PICTURES
from fer_edge.sources._jpeg import SOI
from fer_edge.sources._multipart import CHUNK, JpegSplitter
from fer_edge.sources._pictures import JpegPicture
from fer_edge.sources._timing import Numbering, now
from fer_edge.types import Frame


class _Timed:
    """A socket whose waits also end at a deadline, however slowly the sender sends."""

    deadline_s = float("inf")
    """On the clock of `time.monotonic`."""

    def recv_into(self: Any, *arguments: Any, **options: Any) -> int:
        left_s = self.deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self.settimeout(left_s if left_s < float("inf") else None)
        return int(super().recv_into(*arguments, **options))  # type: ignore[misc]


class _TimedSocket(_Timed, socket.socket):
    """Over TCP."""


class _TimedTls(_Timed, ssl.SSLSocket):
    """Over TLS."""


class MjpegStream:
    """Pictures of an open answer; see `ask`."""

    def __init__(
        self, answer: "Answer", *, numbering: Numbering, stall_timeout_s: float, name: str
    ) -> None:
        self._splitter = JpegSplitter(answer.body.read1, answer.begin)
        self._sock = answer.sock
        self._numbering = numbering
        self._stall_timeout_s = stall_timeout_s
        self._name = name
        numbering.reopened()

    def read(self) -> Frame:
        """The next picture whose header makes sense.

        Raises:
            SourceLostError: none came within the timeout, one without an end, or the camera is gone.
        """
        self._sock.deadline_s = time.monotonic() + self._stall_timeout_s
        try:
            while (data := self._splitter.next()) is not None:
                moment = now()
                try:
                    return self._numbering.frame(JpegPicture(data), moment)
                except FrameError:
                    continue
        except TimeoutError:
            raise SourceLostError(
                f"{self._name}: no picture for {self._stall_timeout_s:g} s"
            ) from None
        except SourceLostError as error:
            raise SourceLostError(f"{self._name}: {error}") from None
        except (OSError, http.client.HTTPException):
            pass
        raise SourceLostError(f"{self._name}: the camera closed the connection")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a camera has answered, still to be read."""

    body: Any
    """http.client's response."""
    sock: Any
    content: str
    """Kind of content, without parameters."""
    begin: bytes
    """What was read already."""

    @property
    def is_mjpeg(self) -> bool:
        """Whether it is parts of a multipart, or bare JPEGs, whatever it calls itself."""
        begin = self.begin.lstrip()
        return self.content.startswith("multipart/") or begin.startswith((b"--", SOI))


@contextmanager
def ask(
    url: str, username: str | None, password: str | None, *, timeout_s: float
) -> Iterator[Answer]:
    """Ask for the stream; the connection is closed at the end of the context.

    A password is sent as the camera asks for it, Basic or Digest. Any certificate is taken, as FFmpeg does.

    Raises:
        OSError, http.client.HTTPException, ValueError: no stream; `urllib.error.HTTPError` with a status.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    bare = urlunsplit(parts._replace(netloc=host, path=parts.path or "/"))
    user = username or unquote(parts.username or "")
    deadline_s = time.monotonic() + timeout_s
    opened: list[Any] = []
    with ExitStack() as closing:
        try:
            director = _director(bare, user, password or "", _Connections(deadline_s, opened))
            request = urllib.request.Request(bare, headers={"User-Agent": "fer-edge"})  # noqa: S310 - http or https
            body = closing.enter_context(director.open(request, timeout=timeout_s))
            content = body.headers.get_content_type()
            begin = body.read1(CHUNK) if content.startswith(PICTURES) else b""
        except urllib.error.HTTPError as error:
            closing.callback(error.close)
            raise
        finally:
            closing.callback(_end, opened)
        yield Answer(body, opened[-1], content, begin)


def _end(socks: list[Any]) -> None:
    """Close them for all who still hold one: urllib leaves the answer open that asked for a password."""
    for sock in socks:
        number = sock.detach()
        if number >= 0:
            os.close(number)


class _Connections:
    """Makes connections whose sockets heed a deadline."""

    def __init__(self, deadline_s: float, opened: list[Any]) -> None:
        self._deadline_s = deadline_s
        self._opened = opened

    def tcp(self, host: str, **options: Any) -> http.client.HTTPConnection:
        """Over TCP."""
        return self._timed(http.client.HTTPConnection(host, **options))

    def tls(self, host: str, **options: Any) -> http.client.HTTPConnection:
        """Over TLS."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.sslsocket_class = _TimedTls
        options["context"] = context
        return self._timed(http.client.HTTPSConnection(host, **options))

    def _timed(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
        connection.connect()
        sock: Any = connection.sock
        if not isinstance(sock, _TimedTls):
            connection.sock = sock = _TimedSocket(fileno=sock.detach())
        sock.deadline_s = self._deadline_s
        sock.settimeout(max(0.001, self._deadline_s - time.monotonic()))
        self._opened.append(sock)
        return connection


class _Handler(urllib.request.AbstractHTTPHandler):
    """Opens addresses with `_Connections`."""

    def __init__(self, connections: _Connections) -> None:
        super().__init__()
        self._connections = connections

    http_request = urllib.request.AbstractHTTPHandler.do_request_
    https_request = urllib.request.AbstractHTTPHandler.do_request_

    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(self._connections.tcp, request)

    def https_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(self._connections.tls, request)


def _director(
    url: str, user: str, password: str, connections: _Connections
) -> urllib.request.OpenerDirector:
    """No proxy, no other schemes than http and https, also after a redirection."""
    director = urllib.request.OpenerDirector()
    director.add_handler(_Handler(connections))
    director.add_handler(urllib.request.HTTPErrorProcessor())
    director.add_handler(urllib.request.HTTPDefaultErrorHandler())
    director.add_handler(urllib.request.HTTPRedirectHandler())
    if user:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, url, user, password)
        director.add_handler(urllib.request.HTTPDigestAuthHandler(passwords))
        director.add_handler(urllib.request.HTTPBasicAuthHandler(passwords))
    return director
