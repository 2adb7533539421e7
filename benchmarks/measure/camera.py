"""An MJPEG camera over HTTP for the daemon: 1920×1080, a steady 30 frames a second."""

import contextlib
import http.server
import threading
import time
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from fer_edge.sources.demo import Demo
from measure.frames import FPS, SIZE

QUALITY = 85
"""JPEG quality; a frame of the demo has some 300 kB, as 1080p USB cameras send."""


def jpegs(count: int, faces: int) -> list[bytes]:
    """The demo as a camera would send it; with the noise of a sensor where nobody is in view."""
    pictures = []
    random = np.random.default_rng(1)
    with Demo(size=SIZE, fps=FPS, faces=faces, frames=count, fast=True).open() as stream:
        while (frame := stream.read()) is not None:
            picture = frame.picture.bgr()
            if not faces:
                noise = random.normal(0, 3, picture.shape[:2])[..., None]
                picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            pictures.append(data.tobytes())
    return pictures


@contextlib.contextmanager
def serving(pictures: Sequence[bytes]) -> Iterator[str]:
    """A camera that sends these pictures forwards and backwards without end; yields its address."""
    there_and_back = [*pictures, *reversed(pictures)]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.stream()

        def stream(self) -> None:
            begun = time.monotonic()
            number = 0
            while True:
                data = there_and_back[number % len(there_and_back)]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
                number += 1
                time.sleep(max(0.0, begun + number / FPS - time.monotonic()))

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/stream"
    finally:
        server.shutdown()
        server.server_close()
