"""`benchmarks/overlay`: the daemon on the demo, with a screen and without, in turns.

The screen is a file that stands in for a frame buffer of 1920x1080 at 32 bits, the costliest. The
demo is taken at its 30 frames a second, and at more than the machine can recognise.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

SKIPPED_S = 3.0
"""At the start: models load, the screen opens, the face is confirmed."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        device = make_frame_buffer(Path(folder))
        for fps in (30, 120):
            rates: dict[str, list[float]] = {"off": [], "on": []}
            for number in range(2 * options.rounds):
                # off, on, on, off: neither is always the first.
                which = ("off", "on", "on", "off")[number % 4]
                rates[which].append(rate(device if which == "on" else None, fps, options.seconds))
            report(fps, rates)
    return 0


def report(fps: int, rates: dict[str, list[float]]) -> None:
    off, on = (statistics.median(rates[which]) for which in ("off", "on"))
    print(
        f"demo at {fps} fps: {off:.1f} frames/s without a screen, {on:.1f} with one; "
        f"ratio {on / off:.3f} (medians of {len(rates['on'])} runs)"
    )


def rate(device: Path | None, fps: int, seconds: float) -> float:
    """Frames recognised a second, once everything runs."""
    command = [sys.executable, "-m", "fer_edge", "run", "--source", "demo", "--output", "jsonl"]
    command += ["--set", f"source.fps={fps}"]
    if device is not None:
        command += ["--overlay", "framebuffer", "--set", f"overlay.device={device}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        lines = []
        started = time.monotonic()
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if time.monotonic() - started > SKIPPED_S + seconds:
                break
        process.terminate()
        process.stdout.read()
    at = [datetime.fromisoformat(json.loads(line)["captured_at"]) for line in lines]
    steady = [moment for moment in at if (moment - at[0]).total_seconds() > SKIPPED_S]
    return (len(steady) - 1) / (steady[-1] - steady[0]).total_seconds()


def make_frame_buffer(folder: Path) -> Path:
    """A frame buffer of 1920x1080, 32 bits."""
    device = folder / "fb0"
    device.write_bytes(bytes(1920 * 1080 * 4))
    description = folder / "fb0.sysfs"
    description.mkdir()
    for name, value in (
        ("virtual_size", "1920,1080"),
        ("stride", "7680"),
        ("bits_per_pixel", "32"),
    ):
        (description / name).write_text(value + "\n")
    return device
