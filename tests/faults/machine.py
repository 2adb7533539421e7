"""What needs the machine's help: a small disk, a wall clock that can be set, less processor time."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from fault import NotHere

CGROUPS = Path("/sys/fs/cgroup")


class ReplacedClock:
    """A wall clock of the daemon's own, by libfaketime; its monotonic clock stays the real one."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not found:
            raise NotHere("libfaketime is missing: apt install faketime")
        self._file = folder / "clock"
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, shift_s: int) -> None:
        """From now on so many seconds fast."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{shift_s:+d}\n")
        fresh.rename(self._file)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "fer-edge-faults", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(f"a small disk cannot be mounted: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


@contextlib.contextmanager
def share_of_processor(pid: int, percent: int) -> Iterator[None]:
    """A process may use so much of one core, by a control group of version 1 or 2."""
    first = (CGROUPS / "cpu").is_dir()
    parent = CGROUPS / "cpu" if first else CGROUPS
    group = parent / f"fer-edge-faults-{os.getpid()}"
    try:
        if not first:
            (parent / "cgroup.subtree_control").write_text("+cpu")
        before = _group_of(pid, "cpu" if first else "")
        group.mkdir()
        if first:
            (group / "cpu.cfs_period_us").write_text("100000")
            (group / "cpu.cfs_quota_us").write_text(f"{percent * 1000}")
        else:
            (group / "cpu.max").write_text(f"{percent * 1000} 100000")
        (group / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        if group.exists():
            group.rmdir()
        raise NotHere(f"no control group can be made: {error}") from None
    try:
        yield
    finally:
        (parent / before.lstrip("/") / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def _group_of(pid: int, controller: str) -> str:
    """The group of a process, as /proc says it (cgroups(7))."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return path
    raise NotHere(f"/proc/{pid}/cgroup names no {controller or 'cgroup2'} group")
