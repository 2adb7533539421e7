"""Measuring this machine: every stage by itself and all of them in a row, in one thread."""

import logging
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from fer_edge.assembly import Stages, assemble_stages
from fer_edge.config import Config
from fer_edge.errors import FrameError, SourceError
from fer_edge.sinks.payload import encode, faces_message
from fer_edge.sources import open_source
from fer_edge.system.board import temperature_c
from fer_edge.types import Stream

log = logging.getLogger(__name__)

WARM_UP = 10
"""Frames before the measurement: caches fill, the tracker confirms its first face."""

THESIS: Final[dict[str, Any]] = {
    "source": "M. Vadlejch, Real-time Facial Expression Recognition in the Wild, CTU Prague 2021",
    "machine": "Raspberry Pi 4 (4 GB), TensorFlow 2.3, 224×224×3, 1920×1080 frames",
    "detect_ms": 59,
    "classify_ms": {
        "0.25": 108,
        "0.35": 137,
        "0.5": 177,
        "0.75": 256,
        "1.0": 335,
        "1.4": 515,
    },
    "frames_per_second": {"0.25": "over 5", "1.4": "over 2"},
}
"""The reference work's own figures, on another machine than this one."""

STAGES = ("capture_decode", "detect", "classify", "publish_encode", "whole")


@dataclass(frozen=True)
class Timing:
    """Milliseconds a frame."""

    p50_ms: float
    p95_ms: float
    mean_ms: float


@dataclass(frozen=True)
class Run:
    """One model's figures."""

    model: str
    alpha: float
    precision: str
    frames: int
    faces_per_frame: float
    stages: dict[str, Timing]
    frames_per_second: float
    """Of all stages in a row in one thread; the daemon overlaps them."""
    peak_rss_mb: float
    temperature_before_c: float | None
    temperature_after_c: float | None

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def measure(config: Config, frames: int, advance: Callable[[], object]) -> Run:
    """Take `frames` frames of the configured source through all stages.

    `advance` is called after each, and after each of `WARM_UP` before them.

    Raises:
        SourceError: the source has fewer frames than the warm-up and one more.
        FerEdgeError: whatever the parts raise.
    """
    source = open_source(config.source)
    stages = assemble_stages(config, every_frame=True)
    before_c = temperature_c()
    with source.open() as stream:
        rows, faces = [], []
        for row, count in _frames(stream, stages, config.device, WARM_UP + frames):
            rows.append(row)
            faces.append(count)
            advance()
    rows, faces = rows[WARM_UP:], faces[WARM_UP:]
    if not rows:
        raise SourceError(f"{source.name}: too short to measure; it needs {WARM_UP + 1} frames")
    columns = dict(zip(STAGES, zip(*rows, strict=True), strict=True))
    card = stages.classifier.card
    return Run(
        model=card.name,
        alpha=card.alpha,
        precision=card.precision,
        frames=len(rows),
        faces_per_frame=round(statistics.mean(faces), 3),
        stages={stage: _timing(values) for stage, values in columns.items()},
        frames_per_second=round(1e9 / statistics.mean(columns["whole"]), 2),
        peak_rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        temperature_before_c=before_c,
        temperature_after_c=temperature_c(),
    )


def _frames(
    stream: Stream, stages: Stages, device: str, limit: int
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Nanoseconds of each stage, and the number of faces, frame by frame."""
    for _ in range(limit):
        marks = [time.perf_counter_ns()]
        frame = stream.read()
        if frame is None:
            return
        try:
            frame.picture.gray()
            marks.append(time.perf_counter_ns())
            batch = stages.vision(frame)
        except FrameError as error:  # as the daemon does, which skips it too
            log.warning("%s", error)
            continue
        marks.append(time.perf_counter_ns())
        if batch is None:
            continue
        result = stages.affect(batch)
        marks.append(time.perf_counter_ns())
        encode(faces_message(result, device, now_ns=time.monotonic_ns()))
        marks.append(time.perf_counter_ns())
        steps = [later - earlier for earlier, later in pairwise(marks)]
        yield (*steps, marks[-1] - marks[0]), len(result.faces)


def _timing(nanoseconds: tuple[int, ...]) -> Timing:
    ms = np.array(nanoseconds) / 1e6
    p50, p95 = np.percentile(ms, [50, 95])
    return Timing(round(float(p50), 3), round(float(p95), 3), round(float(ms.mean()), 3))
