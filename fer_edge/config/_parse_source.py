"""What can be written after `--source`."""

import os
from typing import Any

from fer_edge.errors import ConfigError

HELP = "demo, picamera2[:NUMBER], /dev/videoN, http://…, rtsp://…, a video file or a folder of pictures"


def parse_source(text: str) -> dict[str, Any]:
    """The `source` section that `text` means.

    Raises:
        ConfigError: it is none of the forms in `HELP`, or names a file that is not there.
    """
    kind, _, rest = text.partition(":")
    if text in {"auto", "demo"}:
        return {"type": text}
    if kind == "picamera2" and (not rest or rest.isdecimal()):
        return {"type": "picamera2", "camera": int(rest or 0)}
    if "://" in text:
        return {"type": "stream", "url": text}
    if text.startswith(("/dev/video", "/dev/v4l/")):
        return {"type": "v4l2", "device": text}
    if text and os.path.isdir(text):  # noqa: PTH112 - Path.is_dir raises where this says no
        return {"type": "images", "path": text}
    if text and os.path.exists(text):  # noqa: PTH110 - likewise
        return {"type": "file", "path": text}
    raise ConfigError(f"--source {text}: no such file or folder; give one of: {HELP}")
