"""Frames that lie in memory before any clock runs, and the daemon's stages to put them through."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_edge.assembly import Stages, assemble_stages
from fer_edge.config import Config, ModelConfig
from fer_edge.sinks.payload import encode, faces_message
from fer_edge.sources._pictures import GrayPicture
from fer_edge.sources.demo import Demo
from fer_edge.types import FaceBatch, Frame

FPS = 30
SIZE = (1920, 1080)


@dataclass(frozen=True)
class Clip:
    """Some seconds of the demo: luma for the daemon, and some of the frames in colour too."""

    gray: tuple[Frame, ...]
    colour: tuple[NDArray[np.uint8], ...]


def clip(faces: int, *, frames: int = 240, colour_every: int = 20) -> Clip:
    """The demo with this number of faces at 30 frames a second; one in `colour_every` in colour too."""
    gray, colour = [], []
    with Demo(size=SIZE, fps=FPS, faces=faces, frames=frames, fast=True).open() as stream:
        while (frame := stream.read()) is not None:
            if len(gray) % colour_every == 0:
                colour.append(frame.picture.bgr())
            gray.append(Frame(frame.stamp, GrayPicture(frame.picture.gray())))
    return Clip(tuple(gray), tuple(colour))


def stages(alpha: float, precision: str = "int8") -> Stages:
    """The daemon's own stages, set up as for a live camera."""
    model = ModelConfig(alpha=alpha, precision=precision)
    return assemble_stages(Config(model=model), every_frame=False)


@dataclass(frozen=True)
class Sample:
    """One frame, from luma in memory to payload."""

    cpu_ms: float
    wall_ms: float
    faces: int


def one_by_one(made: Stages, frames: Sequence[Frame]) -> Iterator[Sample]:
    """Every frame through all stages, one after the other in this thread."""
    for frame in frames:
        wall_ns, cpu_ns = time.perf_counter_ns(), time.process_time_ns()
        faces = _finish(made, made.vision(frame))
        cpu_ns, wall_ns = time.process_time_ns() - cpu_ns, time.perf_counter_ns() - wall_ns
        yield Sample(cpu_ns / 1e6, wall_ns / 1e6, faces)


def overlapped(made: Stages, frames: Sequence[Frame]) -> int:
    """Vision in one thread and the rest in another, as in the daemon, but no frame is dropped.

    Returns:
        How many faces came out, over all frames.
    """
    batches: queue.Queue[FaceBatch | None] = queue.Queue(2)
    counts = []

    def read() -> None:
        while (batch := batches.get()) is not None:
            counts.append(_finish(made, batch))

    reader = threading.Thread(target=read)
    reader.start()
    for frame in frames:
        batch = made.vision(frame)
        if batch is not None:
            batches.put(batch)
    batches.put(None)
    reader.join()
    return sum(counts)


def _finish(made: Stages, batch: FaceBatch | None) -> int:
    if batch is None:
        return 0
    result = made.affect(batch)
    encode(faces_message(result, "benchmark", now_ns=time.monotonic_ns()))
    return len(result.faces)
