"""`tests/run soak`: faults at random while the daemon runs; memory, threads and latency must not grow."""

import argparse
import csv
import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Self

import numpy as np
import psutil
from command import heal, say
from fault import Setup, Unhealed, all_faults
from rig import Rig
from soak_figures import Sample, judge

EVERY_S = 5.0
PAUSE_S = (12.0, 25.0)
AFTER_S = 6.0
"""So long after a fault has healed a sample still counts as disturbed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """1 if something grew, or a fault did not heal."""
    parser = argparse.ArgumentParser(prog="tests/run soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1, help="for the choice of faults")
    parser.add_argument("--plot", type=Path, help="a picture (PNG) of the run")
    parser.add_argument("--csv", type=Path, help="the samples")
    options = parser.parse_args(arguments)
    try:
        samples, count = soak(options.minutes * 60, random.Random(options.seed))
        verdict = judge(samples)
    except (Unhealed, ValueError) as reason:
        say(f"soak: {reason}")
        return 1
    slope, ratio = verdict.slope_mb_per_h, verdict.latency_ratio
    say(
        f"{count} faults in {options.minutes:g} minutes, seed {options.seed}; RSS "
        f"{samples[0].rss_mb:.0f} → {samples[-1].rss_mb:.0f} MB, "
        f"slope {slope[0]:.1f} MB an hour (95 %: {slope[1]:.1f} to {slope[2]:.1f}); "
        f"p95 latency, end by start: {ratio[0]:.2f} (95 %: {ratio[1]:.2f} to {ratio[2]:.2f})",
        *(f"wrong: {what}" for what in verdict.wrong),
    )
    if options.csv:
        write(options.csv, samples)
    if options.plot:
        plot(options.plot, samples)
    return 1 if verdict.wrong else 0


def soak(seconds: float, chance: random.Random) -> tuple[list[Sample], int]:
    """Samples of a run, and how many faults it had.

    Raises:
        Unhealed: a fault did not heal.
    """
    choice = [fault for fault in all_faults() if fault.soak]
    with Rig(Setup()) as rig, Sampler(rig) as sampler:
        deadline, count = time.monotonic() + seconds, 0
        while (left_s := deadline - time.monotonic()) > 0:
            rig.hold(min(left_s, chance.uniform(*PAUSE_S)))
            # Not at the very end: what comes last is compared with what came first.
            if deadline - time.monotonic() < seconds * 0.1:
                continue
            fault = chance.choice(choice)
            sampler.fault = f"{fault.room}: {fault.name}"
            fault.inject(rig)
            healed_s = heal(rig, time.time())
            say(f"{sampler.seconds:7.0f} s  {sampler.fault}: healed after {healed_s:.1f} s")
            rig.hold(AFTER_S)
            sampler.fault = ""
            count += 1
        if rig.watcher.wrong:
            raise Unhealed(rig.watcher.wrong[0])
        return sampler.samples, count


class Sampler:
    """Takes a sample every few seconds, in a thread, until the end of the `with` block."""

    def __init__(self, rig: Rig) -> None:
        self.samples: list[Sample] = []
        self.fault = ""
        self._rig = rig
        self._process = psutil.Process(rig.daemon.process.pid)
        self._begun = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._process.cpu_percent()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._begun

    def _run(self) -> None:
        was_disturbed = ""
        while not self._ended.wait(EVERY_S) and self._process.is_running():
            latencies = [
                one.latency_ms for one in self._rig.watcher.faces if one.at > time.time() - EVERY_S
            ]
            published = self._rig.watcher.json("diagnostics").get("latency_ms", {})
            now = self.fault
            self.samples.append(
                Sample(
                    round(self.seconds, 1),
                    round(self._process.memory_info().rss / 2**20, 2),
                    self._process.num_threads(),
                    self._process.num_fds(),
                    round(self._process.cpu_percent() / 100, 3),
                    (published.get("capture_to_result") or {}).get("p95", 0.0),
                    round(float(np.percentile(latencies, 95)), 2) if latencies else 0.0,
                    now or was_disturbed,
                )
            )
            was_disturbed = now


def write(file: Path, samples: Sequence[Sample]) -> None:
    """As CSV."""
    with file.open("w", newline="") as out:
        table = csv.DictWriter(out, [field.name for field in fields(Sample)])
        table.writeheader()
        table.writerows(map(asdict, samples))


def plot(file: Path, samples: Sequence[Sample]) -> None:
    """Four curves over time; faults are shaded."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    minutes = [one.seconds / 60 for one in samples]
    curves = {
        "RSS, MB": [one.rss_mb for one in samples],
        "latency p95, ms": [one.latency_ms or np.nan for one in samples],
        "CPU, cores": [one.cpu_share for one in samples],
        "threads and\ndescriptors": [(one.threads, one.descriptors) for one in samples],
    }
    figure, axes = plt.subplots(len(curves), figsize=(8, 7), sharex=True, layout="constrained")
    for axis, (name, values) in zip(axes, curves.items(), strict=True):
        axis.plot(minutes, values, linewidth=1)
        axis.set_ylabel(name)
        disturbed = [bool(one.fault) for one in samples]
        span = axis.get_ylim()
        axis.fill_between(minutes, *span, where=disturbed, color="0.9", step="mid", zorder=0)
        axis.set_ylim(span)
    axes[1].set_ylim(0, 100)
    axes[-1].legend(["threads", "descriptors"], loc="upper right", frameon=False)
    axes[-1].set_xlabel("minutes; grey: a fault is on, or has just healed")
    figure.savefig(file, dpi=80)


if __name__ == "__main__":
    sys.exit(main())
