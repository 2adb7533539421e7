"""An MJPEG camera that can also answer 404, and send a picture without end."""

from collections.abc import Sequence
from typing import Any

from streams import Camera, _Handler


class FaultyCamera(Camera):
    """Its faults are switched on and off while it runs."""

    def __init__(self, jpegs: Sequence[bytes], **options: Any) -> None:
        super().__init__(jpegs, **options)
        self.RequestHandlerClass = _FaultyHandler
        self.missing = False
        """Answer 404."""
        self.endless = False
        """Begin a picture and never end it."""


class _FaultyHandler(_Handler):
    def do_GET(self) -> None:  # noqa: N802 - the library's name
        if self.server.missing:
            self.close_connection = True
            self.answer(404, "text/plain")
        else:
            super().do_GET()

    def pictures(self, camera: FaultyCamera) -> None:
        if camera.endless:
            head = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"
            self.wfile.write(head + camera.jpegs[0][:900])
            while camera.endless:
                self.wfile.write(bytes(2**20))
        else:
            super().pictures(camera)
