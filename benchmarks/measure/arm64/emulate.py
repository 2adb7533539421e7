"""Runs `guest.py` on an emulated Cortex-A72, and adds its instructions up by stage and by library."""

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from measure.arm64.stages import Stage

BENCHMARKS = Path(__file__).parents[2]
EMULATOR = "qemu-aarch64"
VERSIONS = range(7, 9)
"""Major versions of QEMU whose plugin interface count.c is written for."""
CPUINFO = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
"""
"""A Raspberry Pi 4's; the interpreter dies on another machine's."""

OWNERS = {
    "ai_edge_litert": "interpreter",
    "cv2": "OpenCV",
    "opencv_python": "OpenCV",
    "numpy": "numpy",
    "python3": "Python",
    "pydantic_core": "Python",
}
"""Who a library belongs to, by a part of its path; the first that fits."""
SYSTEM = "C library"
"""Any other: copying, memory, mathematics, called by all of them."""

OneStage = Mapping[str, float]
"""Instructions by owner."""


@dataclass(frozen=True)
class Count:
    """Instructions a frame."""

    by_stage: Mapping[Stage, OneStage]
    versions: Mapping[str, str]

    @property
    def total(self) -> float:
        """Of all stages."""
        return sum(self.stage(one) for one in self.by_stage)

    def stage(self, stage: Stage) -> float:
        """Of one stage."""
        return sum(self.by_stage.get(stage, {}).values())

    def shares(self) -> dict[str, float]:
        """Of the total, by owner, the largest first."""
        owners: Counter[str] = Counter()
        for one in self.by_stage.values():
            owners.update(one)  # type: ignore[arg-type]  # a Counter of floats adds as well
        return {owner: count / self.total for owner, count in owners.most_common()}


@dataclass(frozen=True)
class Emulator:
    """An arm64 system in a folder, and the plugin."""

    root: Path
    plugin: Path

    def count(self, config: Mapping[str, object], *, picture: str, frames: int) -> Count:
        """What a frame costs with this configuration.

        Args:
            config: Sections of the configuration.
            picture: `luma` in memory, or a `jpeg` from a camera.
            frames: How many are counted, at 30 a second.
        """
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "counts.txt")
            arguments = ["--frames", str(frames), "--picture", picture]
            arguments += ["--config", json.dumps(config)]
            said = json.loads(self._run(out, arguments))
            lines = out.read_text().splitlines()
        if said["faces"] != frames:
            raise SystemExit(
                f"benchmarks/arm64: {said['faces']} faces in {frames} frames with one: "
                "what is counted is not one followed face"
            )
        return Count(add_up(lines, said["libraries"], frames), said["versions"])

    def _run(self, out: Path, arguments: list[str]) -> str:
        environment = {
            "PYTHONPATH": f"{BENCHMARKS.parent}:{BENCHMARKS}:{self.root}/opt/site",
            "PYTHONHOME": f"{self.root}/usr",
            # For the same counts in every run.
            "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",
        }
        command = [EMULATOR, "-plugin", f"{self.plugin},out={out}", "-cpu", "cortex-a72"]
        command += ["-L", str(self.root)]
        command += [part for pair in environment.items() for part in ("-E", "=".join(pair))]
        command += [str(_python(self.root)), "-B", "-m", "measure.arm64.guest", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"benchmarks/arm64: the emulated Python failed:\n{done.stderr}")
        return done.stdout.splitlines()[-1]


@contextlib.contextmanager
def emulator(root: Path) -> Iterator[Emulator]:
    """The emulator for an arm64 system, its plugin compiled for as long as it is needed."""
    _check_tools()
    _python(root)
    _prepare(root)
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder, "count.so")
        source = Path(__file__).with_name("count.c")
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O2", "-o", str(plugin), str(source)], check=True
        )
        yield Emulator(root, plugin)


def add_up(
    lines: Iterable[str], libraries: Iterable[tuple[int, int, str]], frames: int
) -> dict[Stage, dict[str, float]]:
    """Instructions a frame, by stage and owner.

    Args:
        lines: Stage, first address of a page of code in hexadecimal, instructions; as count.c writes.
        libraries: First and last address and file of what is loaded.
        frames: Among how many they are shared out.
    """
    ordered = sorted(libraries)
    starts = [first for first, *_ in ordered]
    counted: dict[Stage, dict[str, float]] = {}
    for line in lines:
        number, page, count = line.split()
        stage, address = Stage(int(number)), int(page, 16)
        if stage is Stage.OUTSIDE:
            continue
        index = bisect_right(starts, address) - 1
        inside = index >= 0 and address < ordered[index][1]
        owner = owner_of(ordered[index][2]) if inside else SYSTEM
        of_stage = counted.setdefault(stage, {})
        of_stage[owner] = of_stage.get(owner, 0.0) + int(count) / frames
    return counted


def owner_of(file: str) -> str:
    """Whose code a library is, by its path in the arm64 system."""
    inside = file.rsplit("/opt/site/", maxsplit=1)[-1]
    return next((owner for part, owner in OWNERS.items() if part in inside), SYSTEM)


def _check_tools() -> None:
    missing = [tool for tool in (EMULATOR, "gcc") if shutil.which(tool) is None]
    if missing:
        raise SystemExit(
            f"benchmarks/arm64: needs {' and '.join(missing)}; see benchmarks/README.md"
        )
    said = subprocess.run(
        [EMULATOR, "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"version (\d+)", said)
    if found is None or int(found[1]) not in VERSIONS:
        raise SystemExit(
            f"benchmarks/arm64: count.c is for QEMU {VERSIONS[0]} to {VERSIONS[-1]}, here is: "
            f"{said.splitlines()[0]}; Debian 12 has a fitting qemu-user"
        )


def _python(root: Path) -> Path:
    # The plain name is a link that may be absolute, and so lead out of the folder.
    found = sorted((root / "usr/bin").glob("python3.[0-9]*"))
    found = [path for path in found if not path.is_symlink() and path.name.count("-") == 0]
    if not found:
        raise SystemExit(
            f"benchmarks/arm64: no usr/bin/python3.N in {root}; make it as benchmarks/README.md says"
        )
    return found[-1]


def _prepare(root: Path) -> None:
    """What a process looks up of its machine."""
    for name, text in {
        "proc/cpuinfo": CPUINFO,
        "sys/devices/system/cpu/possible": "0\n",
        "sys/devices/system/cpu/present": "0\n",
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
