"""`fer-edge run` as a process of its own: latency, memory, processor use, start."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from measure.camera import jpegs, serving

REPOSITORY = Path(__file__).parents[2]
SETTLE_S = 3.0
"""Not measured at the start: connecting, and the first searches."""
MAX_DELAY_S = 10.0
"""How long a line may be late."""
PROGRAM = (sys.executable, "-m", "fer_edge", "run", "--output", "jsonl")


@dataclass(frozen=True)
class Streamed:
    """What a subscriber saw of a stream with one face."""

    seconds: float
    messages: int
    p50_ms: float
    p95_ms: float
    growth_ms: float
    """p95 of the last fifth less that of the first."""
    rss_mb: float
    """Highest resident memory of the process."""
    rss_growth_mb: float
    """From a fifth of the time to the end."""
    cpu_share: float
    """Of one core, once it had settled."""


@dataclass(frozen=True)
class Idle:
    """A stream with nobody in view."""

    cpu_share: float
    """Of one core, at the watch rate."""


def stream(seconds: float) -> Streamed:
    """One moving face, 1080p at 30 frames a second, from capture to the line on the pipe."""
    with serving(jpegs(90, 1)) as url, running("--source", url) as process:
        # A daemon that finds nobody prints nothing, and this loop would wait for ever.
        end = threading.Timer(SETTLE_S + seconds + MAX_DELAY_S, process.terminate)
        end.daemon = True
        end.start()
        ages, begun = [], time.monotonic()
        settled = (0.0, 0.0)
        fifth_mb = 0.0
        for line in process.stdout:
            now, elapsed_s = time.time(), time.monotonic() - begun
            captured = datetime.fromisoformat(json.loads(line)["captured_at"]).timestamp()
            if elapsed_s < SETTLE_S:
                continue
            if not ages:
                settled = (time.monotonic(), cpu_s(process.pid))
            ages.append((now - captured) * 1000)
            if not fifth_mb and elapsed_s > SETTLE_S + seconds / 5:
                fifth_mb = rss_mb(process.pid, "VmRSS")
            if elapsed_s > SETTLE_S + seconds:
                break
        else:
            raise SystemExit("the daemon found nobody in the stream, or ended")
        end.cancel()
        share = (cpu_s(process.pid) - settled[1]) / (time.monotonic() - settled[0])
        fifth = max(1, len(ages) // 5)
        p50, p95 = np.percentile(ages, [50, 95])
        first, last = (np.percentile(part, 95) for part in (ages[:fifth], ages[-fifth:]))
        return Streamed(
            seconds,
            len(ages),
            float(p50),
            float(p95),
            float(last - first),
            rss_mb(process.pid, "VmHWM"),
            rss_mb(process.pid, "VmRSS") - fifth_mb,
            share,
        )


def idle(seconds: float) -> Idle:
    """An empty room, a camera's noise, and the watch rate; the wait before it is made short."""
    arguments = ("--set", "tracking.idle_after_s=1")
    with serving(jpegs(30, 0)) as url, running("--source", url, *arguments) as process:
        time.sleep(SETTLE_S + 2)
        begun, before_s = time.monotonic(), cpu_s(process.pid)
        time.sleep(seconds)
        return Idle((cpu_s(process.pid) - before_s) / (time.monotonic() - begun))


def first_results_s(count: int) -> list[float]:
    """From the start of the process to the first face on the pipe, on the demo."""
    times = []
    for _ in range(count):
        begun = time.monotonic()
        with running("--source", "demo") as process:
            process.stdout.readline()
            times.append(time.monotonic() - begun)
    return times


STARTING = """
import time
begun = time.perf_counter()
import fer_edge.cli
import fer_edge.assembly
import fer_edge.service
from fer_edge.config import Config
import cv2, fer_edge.vision.detectors.viola_jones
from fer_edge.affect.tflite import import_interpreter
import_interpreter()
imported = time.perf_counter()
config = Config()
fer_edge.assembly.open_classifier(config.model)
loaded = time.perf_counter()
fer_edge.assembly.open_detector(config.detector)
print(imported - begun, loaded - imported, time.perf_counter() - loaded)
"""


@dataclass(frozen=True)
class Start:
    """What a start consists of, in seconds; medians."""

    imports_s: float
    model_s: float
    """Reading, checking, allocating, and the first run."""
    cascade_s: float


def start(count: int) -> Start:
    """The parts of a start that are the daemon's own, each in a fresh process."""
    rows = []
    for _ in range(count):
        done = subprocess.run(
            [sys.executable, "-c", STARTING],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        rows.append([float(value) for value in done.stdout.split()])
    return Start(*(float(value) for value in np.median(rows, axis=0)))


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The daemon with its defaults, whatever is configured on this machine."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith("FER_EDGE_")}
    process = _start([*PROGRAM, *arguments], mine)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        process.wait(10)


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def cpu_s(pid: int) -> float:
    """Processor time of all threads of a process, in seconds (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int, field: str) -> float:
    """`VmRSS` or, at its highest, `VmHWM`, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0
