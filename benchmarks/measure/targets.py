"""The table of targets, each passed or failed."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from measure import daemon
from measure.frames import Sample, clip, one_by_one, stages
from measure.report import Spread

TESTS = Path(__file__).parents[2] / "tests" / "quality"
WARM_UP = 10
"""Frames until the face is confirmed."""
GROWTH_MS = 5.0
"""p95 at the end less p95 at the beginning: less is noise of a busy machine, not growth."""


@dataclass(frozen=True)
class Row:
    """One target and what was measured."""

    what: str
    target: str
    measured: str
    passed: bool | None
    """None: could not be measured here."""

    def cells(self) -> tuple[str, ...]:
        """For the table."""
        verdict = {True: "pass", False: "FAIL", None: "not measured"}[self.passed]
        return self.what, self.target, self.measured, verdict


def throughput(alpha: float, rounds: int) -> Iterator[Row]:
    """Against the reference, one face."""
    from measure.compare import TARGETS

    targets = {inference: least for (a, inference), least in TARGETS.items() if a == alpha}
    if importlib.util.find_spec("tensorflow") is None:
        missing = "needs pip install -e '.[train]'"
        for inference, least in targets.items():
            yield Row(f"throughput against {inference}, α {alpha:g}", f"≥ {least} ×", missing, None)
        return
    from reference import Inference

    from measure.ratios import compare

    for pair in compare(alpha, list(Inference), [1], rounds=rounds):
        least = targets[str(pair.inference)]
        yield Row(
            f"throughput against {pair.inference}, α {alpha:g}",
            f"≥ {least} ×",
            f"{pair.throughput} ×",
            pair.throughput.median >= least,
        )


def processor_time(frames: int) -> Iterator[Row]:
    """Luma in memory to payload, faces followed."""
    one = [sample.cpu_ms for sample in _samples(1, frames)]
    median, p95 = np.percentile(one, [50, 95])
    yield Row(
        "processor time a frame, one followed face",
        "≤ 4 ms median",
        f"{median:.2f} ms",
        bool(median <= 4),
    )
    yield Row(
        "the same",
        "≤ 12 ms p95",
        f"{p95:.2f} ms; costliest of {len(one)} frames {max(one):.1f} ms",
        bool(p95 <= 12),
    )
    four = np.median([sample.cpu_ms for sample in _samples(4, frames)])
    yield Row("four faces", "≤ 10 ms median", f"{four:.2f} ms", bool(four <= 10))


def _samples(faces: int, frames: int) -> list[Sample]:
    return list(one_by_one(stages(0.25), clip(faces, frames=frames).gray))[WARM_UP:]


def quality() -> Iterator[Row]:
    """The figures that tests/quality holds, over the demo, and real faces where there are any."""
    sys.path.insert(0, str(TESTS))
    from following import (
        CLIPS,
        FALSE_TRACKS_A_MINUTE,
        IDS_KEPT,
        RECALL,
        Quality,
        frames_of,
        measure,
    )

    from fer_edge.sources.demo import Demo
    from fer_edge.sources.file import VideoFile

    total = Quality()
    for faces in (1, 2, 4):
        measure(frames_of(Demo(fast=True, frames=240, faces=faces)), 30, total)
    where = "demo"
    folder = Path(os.environ.get("FER_EDGE_DATA", "-")) / "clips"
    for clip_file, fps in CLIPS.items():
        if (folder / clip_file).exists():
            source = VideoFile(folder / clip_file, fast=True)
            measure(frames_of(source), fps, total, clip_file)
            where = "demo and clips"
    counts = f"{total.found} of {total.expected} faces; {where}"
    yield Row(
        "faces found, against a search of every frame",
        f"≥ {RECALL:g}",
        f"{total.recall:.3f}; {counts}",
        total.recall >= RECALL,
    )
    rate = total.false_tracks_a_minute
    yield Row(
        "false tracks",
        f"≤ {FALSE_TRACKS_A_MINUTE:g} a minute",
        f"{total.false_tracks} in {total.seconds:.0f} s",
        rate <= FALSE_TRACKS_A_MINUTE,
    )
    kept = total.ids_kept
    yield Row("ids kept", f"≥ {IDS_KEPT:g}", f"{kept:.3f}", kept >= IDS_KEPT)


def process(minutes: float, idle_s: float, starts: int) -> Iterator[Row]:
    """The daemon as a process."""
    seen = daemon.stream(minutes * 60)
    what = f"MJPEG 1080p at 30 frames a second, {minutes:g} min"
    yield Row(
        f"capture to publish, {what}",
        "p95 ≤ 70 ms",
        f"{seen.p95_ms:.1f} ms; p50 {seen.p50_ms:.1f} ms; "
        f"{seen.messages / seen.seconds:.1f} messages a second; {seen.cpu_share:.0%} of one core",
        seen.p95_ms <= 70,
    )
    yield Row(
        "growth of its p95, last fifth against first",
        f"≤ {GROWTH_MS:g} ms",
        f"{seen.growth_ms:+.1f} ms; memory {seen.rss_growth_mb:+.1f} MiB",
        seen.growth_ms <= GROWTH_MS,
    )
    yield Row("peak RSS of the daemon", "≤ 160 MiB", f"{seen.rss_mb:.0f} MiB", seen.rss_mb <= 160)
    share = daemon.idle(idle_s).cpu_share
    yield Row("idle, at the watch rate", "≤ 10 % of one core", f"{share:.1%}", share <= 0.1)
    first, parts = Spread.of(daemon.first_results_s(starts)), daemon.start(starts)
    yield Row(
        "first result after process start",
        "≤ 1.5 s",
        f"{first.median:.2f} s ({first.low:.2f}–{first.high:.2f}); imports {parts.imports_s:.2f}, "
        f"model {parts.model_s:.3f}, cascade {parts.cascade_s:.3f}",
        first.median <= 1.5,
    )
