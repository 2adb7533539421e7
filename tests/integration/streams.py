"""Real cameras for tests: servers that send real pictures, and can hang, close or refuse."""

import base64
import contextlib
import http.server
import re
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import cv2
import pytest

from fer_edge.sources.demo import Demo

FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not installed")


def demo_jpegs(count, *, size=(640, 360), faces=1):
    """Frames of the demo as JPEGs."""
    with Demo(size=size, faces=faces, fast=True, frames=count).open() as stream:
        pictures = [stream.read().picture.bgr() for _ in range(count)]
    return [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ffmpeg(*arguments):
    """Run ffmpeg to its end."""
    command = [FFMPEG, "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)


def make_video(path, *options, seconds=2, rate=25, size="320x180"):
    """A moving test picture, encoded as `path` and `options` say."""
    source = f"testsrc2=size={size}:rate={rate}:duration={seconds}"
    ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", *options, path)
    return path


class Camera(http.server.ThreadingHTTPServer):
    """An MJPEG camera on 127.0.0.1, with the faults of real ones at the push of a button."""

    daemon_threads = True

    def __init__(self, jpegs, *, fps=30.0, login=None, length=True, port=0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.jpegs = jpegs
        self.fps = fps
        self.login = login
        self.length = length
        """Whether each part gives its length."""
        self.hang = threading.Event()
        """While set, connections stay open and nothing is sent."""
        self.close_now = threading.Event()
        """While set, connections are closed after the next picture."""
        self.requests = []
        """Path and headers of every request."""
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/stream"

    def handle_error(self, request, client_address):
        """A client that leaves is no error."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        camera = self.server
        camera.requests.append((self.path, dict(self.headers)))
        self.close_connection = True
        if camera.login is not None:
            expected = "Basic " + base64.b64encode(camera.login.encode()).decode()
            if self.headers.get("Authorization") != expected:
                self.answer(401, "text/plain", ("WWW-Authenticate", 'Basic realm="camera"'))
                return
        if self.path.startswith("/page"):
            self.answer(200, "text/html")
            self.wfile.write(b"<html>Welcome</html>" * 200)
        elif self.path.startswith("/stream"):
            self.answer(200, "multipart/x-mixed-replace; boundary=frame")
            self.pictures(camera)
        else:
            self.answer(404, "text/plain")

    def answer(self, status, content, *headers):
        self.send_response(status)
        self.send_header("Content-Type", content)
        self.send_header("Connection", "close")
        for header in headers:
            self.send_header(*header)
        self.end_headers()

    def pictures(self, camera):
        number = 0
        due = time.monotonic()
        while True:
            if camera.hang.wait(0):
                time.sleep(0.02)
                continue
            data = camera.jpegs[number % len(camera.jpegs)]
            length = f"Content-Length: {len(data)}\r\n" if camera.length else ""
            head = f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n"
            self.wfile.write(head.encode() + data + b"\r\n")
            number += 1
            if camera.close_now.is_set():
                return
            due = max(due + 1 / camera.fps, time.monotonic() - 1)
            time.sleep(max(0, due - time.monotonic()))

    def log_message(self, *arguments):
        """Nothing on standard error."""


@contextlib.contextmanager
def camera(jpegs, **options):
    """A running `Camera`."""
    server = Camera(jpegs, **options)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close_now.set()
        server.hang.clear()
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextlib.contextmanager
def ffmpeg_camera(video, port, *options):
    """ffmpeg itself as an MJPEG camera for one client; `options` come before the address."""
    address = f"http://127.0.0.1:{port}/"
    command = [FFMPEG, "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1"]
    command += ["-i", str(video), *options, "-f", "mpjpeg", "-listen", "1", address]
    process = subprocess.Popen(command)
    try:
        _await_listener(port)
        yield process
    finally:
        process.kill()
        process.wait(10)


def _await_listener(port):
    """Until somebody listens, or has a client already: ffmpeg takes one and listens no more.

    Asked of the kernel (proc_net_tcp), as a connection would be taken for the client.
    """
    listens_or_talks = re.compile(f" 0100007F:{port:04X} [0-9A-F]{{8}}:[0-9A-F]{{4}} 0[1A] ")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if listens_or_talks.search(Path("/proc/net/tcp").read_text()):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port}")


class _RtspServer(socketserver.ThreadingTCPServer):
    """RTSP over TCP, as much as a client needs, in front of the RTP packets that ffmpeg sends."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, description, packets):
        super().__init__(("127.0.0.1", 0), _RtspHandler)
        self.description = description
        self.packets = packets
        """Where ffmpeg's RTP packets arrive."""
        self.methods = []

    def handle_error(self, request, client_address):
        """A client that leaves is no error."""


class _RtspHandler(socketserver.StreamRequestHandler):
    def handle(self):
        while (line := self.next_request()) is not None:
            method, number = line
            self.server.methods.append(method)
            head, body = ["RTSP/1.0 200 OK", f"CSeq: {number}", "Session: 1"], b""
            if method == "OPTIONS":
                head.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
            elif method == "DESCRIBE":
                body = self.server.description.encode()
                head += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            elif method == "SETUP":
                head.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
            self.wfile.write("\r\n".join([*head, "", ""]).encode() + body)
            if method == "PLAY":
                threading.Thread(target=self.relay, daemon=True).start()

    def next_request(self):
        """Method and number of the next request; what the client reports in between is dropped."""
        while (first := self.rfile.read(1)) == b"$":
            _, high, low = self.rfile.read(3)
            self.rfile.read(high << 8 | low)
        lines = [first + self.rfile.readline()]
        while (line := self.rfile.readline()).strip():
            lines.append(line)
        if not lines[0].strip():
            return None
        headers = dict(line.decode().split(":", 1) for line in lines[1:])
        return lines[0].split()[0].decode(), headers["CSeq"].strip()

    def relay(self):
        with contextlib.suppress(OSError):
            while True:
                packet = self.server.packets.recv(65535)
                self.wfile.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)


@contextlib.contextmanager
def rtsp_camera(video, codec):
    """An RTSP camera: ffmpeg encodes and packs, a small server does the talking."""
    packets = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    packets.bind(("127.0.0.1", 0))
    with tempfile.TemporaryDirectory() as folder, packets:
        sdp = Path(folder) / "stream.sdp"
        command = [FFMPEG, "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1"]
        command += ["-i", str(video), "-an", "-c:v", codec, "-flags", "+global_header", "-g", "5"]
        if codec == "mjpeg":  # RTP takes the standard Huffman tables only
            command += [
                "-pix_fmt",
                "yuvj420p",
                "-huffman",
                "default",
                "-force_duplicated_matrix",
                "1",
            ]
        command += ["-bf", "0", "-sdp_file", str(sdp), "-f", "rtp"]
        process = subprocess.Popen([*command, f"rtp://127.0.0.1:{packets.getsockname()[1]}"])
        try:
            deadline = time.monotonic() + 20
            while not sdp.exists() or "m=video" not in sdp.read_text():
                assert time.monotonic() < deadline, "ffmpeg wrote no description"
                time.sleep(0.05)
            with _RtspServer(sdp.read_text(), packets) as server:
                threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
                yield f"rtsp://127.0.0.1:{server.server_address[1]}/live", server.methods
                server.shutdown()
        finally:
            process.kill()
            process.wait(10)
