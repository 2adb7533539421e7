"""What this machine lacks to run fer-edge, each with its remedy; `fer-edge doctor` prints it.

No check raises, none changes anything, and native libraries are tried in processes of their own.
"""

import grp
import importlib.util
import os
import platform
import socket
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fer_edge.config import DEFAULT_PATH, MQTT_PORTS, Config, load
from fer_edge.errors import ConfigError, ModelError
from fer_edge.system._cameras import CsiCameras, VideoDevice, csi_cameras, video_devices
from fer_edge.system._checks import Check
from fer_edge.system._machine import check_clock, check_memory, check_memory_limit
from fer_edge.system._offers import OpenIoctl, offers
from fer_edge.system._probe import probe
from fer_edge.system.board import throttled
from fer_edge.video4linux import open_ioctl

BROKER_TIMEOUT_S: Final = 3.0
MACHINES: Final = ("aarch64", "arm64", "x86_64", "amd64")
LOCAL_SOURCES: Final = ("auto", "picamera2", "v4l2")

IMPORT_OPENCV: Final = "import cv2; cv2.CascadeClassifier; print(cv2.__version__)"
IMPORT_INTERPRETERS: Final = {
    "ai-edge-litert": "from ai_edge_litert.interpreter import Interpreter",
    "tflite-runtime": "from tflite_runtime.interpreter import Interpreter",
}


NEEDED: Final = ("platform", "configuration", "OpenCV", "interpreter", "models")
"""Without these nothing starts; without the others something is missing."""


def exit_code(found: Iterable[Check]) -> int:
    """0: all is well; 1: it runs, but not as it could; 2: it does not start."""
    failed = [one.name for one in found if one.ok is False]
    return 2 if any(name in NEEDED for name in failed) else 1 if failed else 0


def checks(
    config_path: Path | None = None,
    *,
    root: Path = Path("/"),
    environ: Mapping[str, str] = os.environ,
    open_ioctl: OpenIoctl = open_ioctl,
) -> list[Check]:
    """Everything, in the order in which one would repair it; takes some seconds."""
    config, configured = check_config(config_path, environ)
    local = config.source.type in LOCAL_SOURCES
    csi = csi_cameras(environ)
    devices = video_devices(root)
    return [
        check_platform(platform.machine(), sys.maxsize.bit_length() + 1, sys.version_info[:2]),
        configured,
        check_opencv(environ),
        check_interpreter(environ),
        check_models(config.model.directory, (config.model.alpha, config.model.precision)),
        check_picamera2(csi, required=config.source.type == "picamera2"),
        check_cameras(csi, devices, required=local),
        *(
            Check(offer.camera, None, "\n".join(offer.lines))
            for offer in offers(csi, devices, root, environ, open_ioctl)
        ),
        check_group(own_groups(), is_root=os.geteuid() == 0, required=local),
        check_throttling(throttled(root)),
        check_clock(root),
        check_memory(root),
        check_memory_limit(root),
        check_broker(config.mqtt.url),
        check_service_manager(root),
    ]


def check_platform(machine: str, bits: int, python: tuple[int, ...]) -> Check:
    """64 bits, both kernel and Python: there are no wheels for anything else."""
    version = ".".join(map(str, python))
    detail = f"{bits}-bit Python {version} on {machine}"
    if bits != 64 or machine not in MACHINES:
        return Check(
            "platform",
            False,
            detail,
            "install 64-bit Raspberry Pi OS: numpy, OpenCV and LiteRT have no 32-bit wheels",
        )
    if python < (3, 11):
        return Check(
            "platform",
            False,
            detail,
            "use Python 3.11 or later: Raspberry Pi OS Bookworm or Trixie",
        )
    return Check("platform", True, detail)


def check_config(path: Path | None, environ: Mapping[str, str]) -> tuple[Config, Check]:
    """The configuration in effect, or the defaults where it is wrong."""
    try:
        config = load(path, environ=environ, overrides={})
    except ConfigError as error:
        return Config(), Check("configuration", False, str(error))
    file = path or (DEFAULT_PATH if DEFAULT_PATH.exists() else None)
    return config, Check("configuration", True, str(file or "none, defaults are in effect"))


def check_opencv(environ: Mapping[str, str]) -> Check:
    """OpenCV, below 5: later ones have no cascades."""
    found = probe(IMPORT_OPENCV, environ)
    remedy = "" if found.ok else "pip install 'opencv-python-headless<5'"
    return Check("OpenCV", found.ok, found.answer, remedy)


def check_interpreter(environ: Mapping[str, str]) -> Check:
    """The first TFLite interpreter that can be imported, by the name it is installed under."""
    problems = []
    for name, statement in IMPORT_INTERPRETERS.items():
        found = probe(statement, environ)
        if found.ok:
            return Check("interpreter", True, name)
        problems.append(f"{name}: {found.answer}")
    return Check("interpreter", False, "; ".join(problems), "pip install ai-edge-litert")


def check_models(directory: Path | None, wanted: tuple[float, str] | None = None) -> Check:
    """Every model of the folder is the file that its card describes, and the `wanted` one is among them."""
    from fer_edge.modelcard import list_cards, models_dir, read_model

    directory = directory or models_dir()
    try:
        cards = list_cards(directory)
        for card in cards:
            read_model(card, directory)
    except ModelError as error:
        return Check("models", False, str(error))
    names = ", ".join(f"{card.alpha:g} {card.precision}" for card in cards)
    if wanted is not None and wanted not in [(card.alpha, card.precision) for card in cards]:
        detail = f"no alpha {wanted[0]:g} {wanted[1]} in {directory}"
        return Check("models", False, detail, f"set model.alpha and model.precision: {names}")
    return Check("models", True, f"alpha {names} in {directory}")


def check_picamera2(csi: CsiCameras, *, required: bool) -> Check:
    """Only a CSI camera needs it."""
    if not csi.problem:
        return Check("picamera2", True, "importable")
    if "numpy" in csi.problem:
        remedy = (
            "apt's picamera2 needs apt's numpy: pip install 'numpy<2' 'opencv-python-headless<4.12'"
        )
        return Check("picamera2", False, csi.problem, remedy)
    if csi.installed or required:
        remedy = (
            "apt install python3-picamera2, in a virtual environment with --system-site-packages"
        )
        return Check("picamera2", False, csi.problem, remedy)
    return Check("picamera2", None, "not installed; only a camera on the CSI connector needs it")


def check_cameras(csi: CsiCameras, devices: list[VideoDevice], *, required: bool) -> Check:
    """Something to look through, and leave to do so."""
    names = [*csi.names, *(f"{device.device} ({device.name})" for device in devices)]
    if not names:
        if not required:
            return Check("cameras", None, "none here, none needed")
        return Check(
            "cameras", False, "none found", "connect one, or try `fer-edge run --source demo`"
        )
    closed = [device.device for device in devices if not device.accessible]
    if closed and not csi.names and len(closed) == len(devices):
        remedy = "sudo usermod -aG video $USER, then log in again"
        return Check("cameras", False, f"{', '.join(names)}: no permission", remedy)
    return Check("cameras", True, ", ".join(names))


def own_groups() -> frozenset[str]:
    """The names of this process's groups."""
    names = set()
    for number in {*os.getgroups(), os.getegid()}:
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:  # a group without a name
            continue
    return frozenset(names)


def check_group(groups: frozenset[str], *, is_root: bool, required: bool) -> Check:
    """Cameras, DMA heaps and the screen belong to group video."""
    if is_root:
        return Check("group video", None, "root needs no group; the service runs as fer-edge")
    if "video" in groups:
        return Check("group video", True, "member")
    if not required:
        return Check("group video", None, "not a member; only a camera on this machine needs it")
    remedy = "sudo usermod -aG video $USER, then log in again"
    return Check("group video", False, "not a member", remedy)


def check_throttling(names: tuple[str, ...] | None) -> Check:
    """What the firmware says of power and heat since the board was switched on."""
    if names is None:
        return Check("throttling", None, "only a Raspberry Pi's firmware tells")
    if not names:
        return Check("throttling", True, "none since boot")
    power = any(name.startswith("under_voltage") for name in names)
    remedy = "use a 5.1 V, 3 A power supply" if power else "cool the board: heat sink or fan"
    return Check("throttling", False, ", ".join(name.replace("_", " ") for name in names), remedy)


def check_broker(url: str | None, timeout_s: float = BROKER_TIMEOUT_S) -> Check:
    """A TCP connection can be made; whether the broker lets one in is not tried."""
    if url is None:
        return Check("broker", None, "mqtt.url is not set; nothing is published")
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or MQTT_PORTS[parts.scheme]
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "check mqtt.url, that the broker runs, and that it listens on more than localhost"
        return Check("broker", False, f"{host}:{port}: {reason}", remedy)
    return Check("broker", True, f"{host}:{port} answers")


def check_service_manager(root: Path = Path("/")) -> Check:
    """As sd_booted(3)."""
    if not (root / "run/systemd/system").is_dir():
        return Check("systemd", None, "not in charge of this machine; run fer-edge by hand")
    # The package, not this project's folder of the same name, which has no `daemon` in it.
    try:
        library = importlib.util.find_spec("systemd.daemon") is not None
    except ModuleNotFoundError:
        library = False
    return Check("systemd", True, "through python3-systemd" if library else "through its socket")
