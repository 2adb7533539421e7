"""What each camera offers: its controls with their ranges, its formats and frame rates."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from fer_edge.system._cameras import CsiCameras, VideoDevice
from fer_edge.system._probe import probe
from fer_edge.video4linux import Control, Ioctl, Mode, list_controls, list_modes

OpenIoctl = Callable[[Path], AbstractContextManager[Ioctl]]

ASK_CSI: Final = (
    "import json; from picamera2 import Picamera2; camera = Picamera2({number}); print(json.dumps(["
    "{{n: list(r) for n, r in camera.camera_controls.items()}},"
    " [[str(m['format']), *m['size'], m['fps']] for m in camera.sensor_modes if 'size' in m]],"
    " default=str)); camera.close()"
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One camera."""

    camera: str
    lines: tuple[str, ...]


def offers(
    csi: CsiCameras,
    devices: list[VideoDevice],
    root: Path,
    environ: Mapping[str, str],
    open_ioctl: OpenIoctl,
) -> list[Offer]:
    """Of every camera that can be asked; one that somebody else uses says less or nothing."""
    found = [Offer(name.split()[0], tuple(_of_csi(name, environ))) for name in csi.names]
    for device in devices:
        lines = _of_device(root / device.device.lstrip("/"), open_ioctl)
        if device.accessible and lines:
            found.append(Offer(device.device, tuple(lines)))
    return found


def _of_device(path: Path, open_ioctl: OpenIoctl) -> list[str]:
    """Nothing where the device delivers no pictures, as the second one of a webcam."""
    try:
        with open_ioctl(path) as ioctl:
            modes, controls = list_modes(ioctl), list_controls(ioctl)
    except OSError:
        return []
    if not modes:
        return []
    return [*_modes(modes), *(_control(control) for control in controls)]


def _modes(modes: list[Mode]) -> Iterator[str]:
    for name, same in groupby(modes, key=lambda mode: mode.format):
        yield f"{name}: " + "; ".join(_mode(mode) for mode in same)


def _mode(mode: Mode) -> str:
    rates = ", ".join(f"{rate:.4g}" for rate in mode.rates)
    return f"{mode.size} at {rates} frames/s" if rates else mode.size


def _control(control: Control) -> str:
    now = "" if control.value is None else f", now {control.value}"
    inactive = ", without effect while automatic" if control.inactive else ""
    return f"{control.name}: {control.range}, default {control.default}{now}{inactive}"


def _of_csi(name: str, environ: Mapping[str, str]) -> Iterator[str]:
    number = int(name.partition(":")[2].split()[0])
    found = probe(ASK_CSI.format(number=number), environ)
    if not found.ok:
        yield f"does not say what it offers ({found.answer}); stop what uses it: systemctl stop fer-edge"
        return
    controls, modes = json.loads(found.answer.splitlines()[-1])
    for kind, width, height, fps in modes:
        yield f"{kind}: {width}x{height} at up to {fps:.4g} frames/s"
    for control, (least, most, default) in sorted(controls.items()):
        yield f"{control}: {least} to {most}, default {default}"
