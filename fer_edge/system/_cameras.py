"""Which cameras the machine has, and whether this user may open them."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_edge.devices import is_board_device
from fer_edge.system._probe import probe

LIST_CSI: Final = (
    "import json; from picamera2 import Picamera2; print(json.dumps(["
    "{'number': c.get('Num', n), 'model': c.get('Model', '?')}"
    " for n, c in enumerate(Picamera2.global_camera_info())]))"
)


@dataclass(frozen=True, slots=True)
class CsiCameras:
    """What picamera2 says."""

    names: tuple[str, ...] = ()
    problem: str = ""
    """Why it cannot be asked; empty where it can."""
    installed: bool = True


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """One video4linux device that may be a camera."""

    device: str
    name: str
    accessible: bool


def csi_cameras(environ: Mapping[str, str]) -> CsiCameras:
    """The cameras that libcamera knows, as `picamera2:0 (imx219)`."""
    found = probe(LIST_CSI, environ)
    if not found.ok:
        missing = "No module named 'picamera2'" in found.answer
        return CsiCameras(problem=found.answer, installed=not missing)
    # libcamera may talk on standard output before the answer.
    cameras = json.loads(found.answer.splitlines()[-1])
    return CsiCameras(tuple(f"picamera2:{c['number']} ({c['model']})" for c in cameras))


def video_devices(root: Path) -> list[VideoDevice]:
    """The /dev/video* that can be cameras, by number; a webcam has a second one for metadata."""
    devices = []
    for entry in sorted((root / "sys/class/video4linux").glob("video*"), key=_number):
        try:
            name = (entry / "name").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
        node = root / "dev" / entry.name
        if not is_board_device(name):
            usable = os.access(node, os.R_OK | os.W_OK)
            devices.append(VideoDevice(f"/dev/{entry.name}", name, usable))
    return devices


def _number(entry: Path) -> int:
    return int(re.sub(r"\D", "", entry.name) or 0)
