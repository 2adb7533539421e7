"""What machine this is and how it fares: model, clock, temperature, throttling, library versions.

Everything is read from files below `root`, so that a recorded Raspberry Pi can stand in for a real
one; what cannot be read is None, never an error.
"""

import platform
import re
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import fer_edge

THROTTLE_BITS: Final = {
    0: "under_voltage",
    1: "frequency_capped",
    2: "throttled",
    3: "soft_temperature_limit",
    16: "under_voltage_has_occurred",
    17: "frequency_capped_has_occurred",
    18: "throttled_has_occurred",
    19: "soft_temperature_limit_has_occurred",
}
"""The firmware's GET_THROTTLED: now in the low bits, since boot in the high ones
(https://www.raspberrypi.com/documentation/computers/os.html#get_throttled)."""

THROTTLED_FILE: Final = "sys/devices/platform/soc/soc:firmware/get_throttled"
"""Hexadecimal without 0x. Its first reader after boot leaves one warning in the kernel's log."""

VCGENCMD: Final = "usr/bin/vcgencmd"

CPU_ZONES: Final = ("cpu-thermal", "x86_pkg_temp", "soc-thermal", "cpu_thermal")
"""Thermal zones that are the processor's; the Raspberry Pi has the first."""

DISTRIBUTIONS: Final = {
    "numpy": ("numpy",),
    "opencv": (
        "opencv-python-headless",
        "opencv-contrib-python-headless",
        "opencv-python",
        "opencv-contrib-python",
    ),
    "interpreter": ("ai-edge-litert", "tflite-runtime"),
    "paho-mqtt": ("paho-mqtt",),
    "picamera2": ("picamera2",),
}
"""Library and the distributions that may provide it."""


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """The machine at one moment."""

    model: str | None
    """As the firmware calls it: `Raspberry Pi 4 Model B Rev 1.4`."""
    processor: str | None
    """As /proc/cpuinfo calls it; ARM kernels do not."""
    architecture: str
    """`aarch64`, `x86_64`, …: the kernel's."""
    cores: int | None
    clock_mhz: float | None
    """Of core 0, now."""
    clock_max_mhz: float | None
    governor: str | None
    """Frequency governor of core 0: `ondemand`, `performance`, …"""
    temperature_c: float | None
    throttled: tuple[str, ...] | None
    """Names from `THROTTLE_BITS`; empty when all is well."""
    memory_mb: int | None
    """Installed and usable, in MiB."""
    os: str | None
    kernel: str | None
    python: str
    libraries: dict[str, str | None]
    """Name and version with the distribution it comes from; None when not installed."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def read_board(root: Path = Path("/")) -> BoardInfo:
    """Everything that is known of the machine; some ten small files."""
    cpufreq = root / "sys/devices/system/cpu/cpu0/cpufreq"
    return BoardInfo(
        model=_model(root),
        processor=_field(root / "proc/cpuinfo", r"model name\s*:\s*(.+)"),
        architecture=platform.machine(),
        cores=_cores(root),
        clock_mhz=_scaled(cpufreq / "scaling_cur_freq", 1000),
        clock_max_mhz=_scaled(cpufreq / "cpuinfo_max_freq", 1000),
        governor=_text(cpufreq / "scaling_governor"),
        temperature_c=temperature_c(root),
        throttled=throttled(root),
        memory_mb=_memory_mb(root),
        os=_os(root),
        kernel=_text(root / "proc/sys/kernel/osrelease"),
        python=platform.python_version(),
        libraries=library_versions(),
    )


def temperature_c(root: Path = Path("/")) -> float | None:
    """The processor's temperature in °C; of the first sensor where none is the processor's."""
    zones = {_text(zone / "type"): zone for zone in _thermal_zones(root)}
    for name in CPU_ZONES:
        if name in zones and (value := _scaled(zones[name] / "temp", 1000)) is not None:
            return value
    readings = (_scaled(zone / "temp", 1000) for zone in zones.values())
    return next((value for value in readings if value is not None), None)


def throttled(root: Path = Path("/")) -> tuple[str, ...] | None:
    """Why the firmware slows the board down, now or since boot; None where it cannot be asked."""
    text = _text(root / THROTTLED_FILE)
    if text is None:
        text = _vcgencmd_throttled(root / VCGENCMD)
    try:
        bits = int(text, 16) if text else None
    except ValueError:
        return None
    return None if bits is None else decode_throttled(bits)


def decode_throttled(bits: int) -> tuple[str, ...]:
    """The names of the bits that are set."""
    return tuple(name for bit, name in THROTTLE_BITS.items() if bits >> bit & 1)


def library_versions() -> dict[str, str | None]:
    """Versions from the installed metadata: imports nothing."""
    versions: dict[str, str | None] = {"fer-edge": fer_edge.__version__}
    for library, distributions in DISTRIBUTIONS.items():
        versions[library] = next(filter(None, map(_version, distributions)), None)
    return versions


def _version(distribution: str) -> str | None:
    try:
        return f"{distribution} {metadata.version(distribution)}"
    except metadata.PackageNotFoundError:
        return None


def _thermal_zones(root: Path) -> Iterator[Path]:
    zones = (root / "sys/class/thermal").glob("thermal_zone*")
    return iter(sorted(zones, key=lambda zone: int(re.sub(r"\D", "", zone.name) or 0)))


def _vcgencmd_throttled(program: Path) -> str | None:
    """`throttled=0x50005` → `0x50005`; for kernels without the file."""
    if not program.exists():
        return None
    try:
        answer = subprocess.run(  # noqa: S603  (a fixed path and a fixed argument)
            [program, "get_throttled"], capture_output=True, text=True, timeout=2, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.strip().removeprefix("throttled=")


def _model(root: Path) -> str | None:
    if model := _text(root / "proc/device-tree/model"):
        return model
    dmi = root / "sys/class/dmi/id"
    parts = filter(None, (_text(dmi / "sys_vendor"), _text(dmi / "product_name")))
    return " ".join(parts) or None


def _cores(root: Path) -> int | None:
    """From the ranges of `online`, such as `0-3` or `0,2-3`."""
    ranges = re.findall(r"(\d+)(?:-(\d+))?", _text(root / "sys/devices/system/cpu/online") or "")
    return sum(int(last or first) - int(first) + 1 for first, last in ranges) or None


def _memory_mb(root: Path) -> int | None:
    kib = _field(root / "proc/meminfo", r"MemTotal:\s*(\d+) kB")
    return int(kib) // 1024 if kib else None


def _os(root: Path) -> str | None:
    name = _field(root / "etc/os-release", r'PRETTY_NAME="?([^"\n]+)')
    # 64-bit Raspberry Pi OS calls itself Debian; only this file tells it apart.
    return f"{name}, Raspberry Pi OS" if name and (root / "etc/rpi-issue").exists() else name


def _field(path: Path, pattern: str) -> str | None:
    found = re.search("^" + pattern, _text(path) or "", re.MULTILINE)
    return found[1].strip() if found else None


def _scaled(path: Path, divisor: int) -> float | None:
    try:
        return int(_text(path) or "") / divisor
    except ValueError:
        return None


def _text(path: Path) -> str | None:
    """Without the NUL that ends a device tree's strings; None for what is absent or empty."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ") or None
    except OSError:
        return None
