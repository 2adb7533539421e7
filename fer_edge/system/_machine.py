"""Clock, free memory and the kernel's memory control; what cannot be told is None, never an error."""

import re
from pathlib import Path
from typing import Final

from fer_edge.system._checks import Check

NEEDED_MEMORY_MB: Final = 300
"""The service with OpenCV, the interpreter, a broker and a screen, and some room."""


def check_clock(root: Path) -> Check:
    """As systemd-timesyncd says it; other time services leave no file that says so."""
    folder = root / "run/systemd/timesync"
    if not folder.is_dir():
        return Check("clock", None, "systemd-timesyncd does not run; it cannot be told")
    if (folder / "synchronized").exists():
        return Check("clock", True, "synchronised")
    remedy = "check the network, then: timedatectl timesync-status"
    return Check("clock", False, "not synchronised: times in messages may be wrong", remedy)


def check_memory(root: Path) -> Check:
    """What the kernel would give to a new process."""
    found = re.search(r"^MemAvailable:\s*(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    if found is None:
        return Check("memory", None, "the kernel does not tell")
    free_mb = int(found[1]) // 1024
    if free_mb < NEEDED_MEMORY_MB:
        remedy = f"stop other programs: fer-edge needs {NEEDED_MEMORY_MB} MB"
        return Check("memory", False, f"{free_mb} MB free", remedy)
    return Check("memory", True, f"{free_mb} MB free")


def check_memory_limit(root: Path) -> Check:
    """Without this controller the unit's MemoryMax= does nothing; Raspberry Pi OS has it off."""
    controllers = _text(root / "sys/fs/cgroup/cgroup.controllers").split()
    if not controllers:
        return Check("memory limit", None, "no cgroup v2 here; it cannot be told")
    if "memory" in controllers:
        return Check("memory limit", True, "the kernel can limit a service's memory")
    detail = "off; to have one, add cgroup_enable=memory to /boot/firmware/cmdline.txt and restart"
    return Check("memory limit", None, detail)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
