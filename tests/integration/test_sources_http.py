"""An MJPEG camera over HTTP that asks for a Digest, sends without end, or drop by drop."""

import contextlib
import hashlib
import socket
import ssl
import threading
import time

import psutil
import pytest
from broker import make_certificates
from streams import demo_jpegs

from fer_edge.config import StreamSource
from fer_edge.errors import SourceLostError
from fer_edge.sources import open_source

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


@contextlib.contextmanager
def server(answer, tls=None):
    """Address of a server that calls `answer` with each connection and its request, in a thread."""
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                accepted, _ = listener.accept()
                accepted.settimeout(20)
                with tls.wrap_socket(accepted, server_side=True) if tls else accepted as connection:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(4096) or b"\r\n\r\n"
                    answer(connection, request.decode())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}/stream"
        stop.set()
        thread.join(10)


def stream(url, **options):
    return open_source(StreamSource(type="stream", url=url, **options))


def read(url, count, **options):
    with stream(url, **options).open() as pictures:
        return [pictures.read() for _ in range(count)]


def part(jpeg):
    return b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n"


def test_a_part_without_end_costs_no_memory():
    def answer(connection, _):
        connection.sendall(HEAD + b"--frame\r\n\r\n" + demo_jpegs(1)[0][:900])
        while True:
            connection.sendall(bytes(2**20))

    before = psutil.Process().memory_info().rss
    with (
        server(answer) as url,
        pytest.raises(SourceLostError, match=r"/stream: sends a picture of more than 32 MB"),
    ):
        read(url, 1)
    assert psutil.Process().memory_info().rss - before < 200 * 2**20


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX-", HEAD, HEAD + b"--frame\r\n"])
def test_drop_by_drop_is_no_answer(begin):
    def answer(connection, _):
        connection.sendall(begin)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    started = time.monotonic()
    with (
        server(answer) as url,
        pytest.raises(SourceLostError, match=r"no answer within|no picture for"),
    ):
        read(url, 1, open_timeout_s=0.7, stall_timeout_s=0.7)
    assert time.monotonic() - started < 30


def test_over_tls_with_a_certificate_that_the_camera_made_itself(tmp_path):
    jpeg = demo_jpegs(1)[0]
    made = make_certificates(tmp_path, "camera")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.cert, made.key)

    def answer(connection, _):
        connection.sendall(HEAD + part(jpeg) * 3)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    with server(answer, context) as url, stream(url, stall_timeout_s=0.7).open() as pictures:
        for _ in range(3):
            pictures.read()
        with pytest.raises(SourceLostError, match=r"no picture for 0\.7 s"):
            pictures.read()


def test_a_header_without_end_is_no_answer():
    def answer(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")

    with server(answer) as url, pytest.raises(SourceLostError, match=r"answers, but not with HTTP"):
        read(url, 1)


def digest(text):
    return hashlib.md5(text.encode()).hexdigest()


def test_a_camera_that_asks_for_a_digest(tmp_path):
    jpeg = demo_jpegs(1)[0]
    (tmp_path / "password").write_text("s3cret\n")
    seen = []

    def answer(connection, request):
        seen.append(request)
        expected = digest(f"{digest('user:camera:s3cret')}:abc:{digest('GET:/stream')}")
        if f'response="{expected}"' in request:
            connection.sendall(HEAD + part(jpeg) * 3)
        else:
            connection.sendall(
                b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
                b'WWW-Authenticate: Digest realm="camera", nonce="abc"\r\n\r\n'
            )

    with server(answer) as url:
        options = {"username": "user", "password_file": tmp_path / "password"}
        assert len(read(url, 3, **options)) == 3
        (tmp_path / "password").write_text("wrong\n")
        with pytest.raises(SourceLostError, match="answers 401 and asks for a password"):
            read(url, 1, **options)
    assert not any("s3cret" in request for request in seen)


def test_a_picture_is_there_when_it_has_come_not_with_the_next_one():
    jpeg = demo_jpegs(1)[0]
    go_on = threading.Event()

    def answer(connection, _):
        connection.sendall(HEAD + part(jpeg))
        go_on.wait(20)

    with server(answer) as url:
        assert len(read(url, 1)) == 1
        go_on.set()


def test_a_redirection_to_another_scheme_is_not_followed():
    def answer(connection, _):
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x\r\n\r\n")

    with server(answer) as url, pytest.raises(SourceLostError):
        read(url, 1)
