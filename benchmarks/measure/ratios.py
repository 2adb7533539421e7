"""The reference and the daemon in turn on the same frames."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from reference import Application, Inference

from fer_edge.assembly import Stages
from measure.frames import Clip, clip, overlapped, stages
from measure.report import Spread

WARM_UP = 3


@dataclass(frozen=True)
class Pair:
    """Both on one α, one way of running Keras and one number of faces."""

    alpha: float
    inference: Inference
    faces: int
    reference_ms: Spread
    """Wall time a frame."""
    daemon_ms: Spread
    """Wall time a frame; its reciprocal is the throughput."""
    throughput: Spread
    """Ratio, over the rounds."""
    processor: Spread
    """Ratio of the processor time of all threads, over the rounds."""
    reference_faces: float
    """Found a frame: fewer than there are would make the reference look quicker than it is."""
    daemon_faces: float


@dataclass(frozen=True)
class _Turn:
    wall_ms: float
    cpu_ms: float
    faces: float


def compare(
    alpha: float, inferences: list[Inference], counts: list[int], *, rounds: int
) -> list[Pair]:
    """Both in alternation, `rounds` times, who begins changing from round to round."""
    pairs = []
    applications = {inference: Application(alpha, inference) for inference in inferences}
    for faces in counts:
        frames = clip(faces)
        for application in applications.values():
            for frame in frames.colour[:WARM_UP]:
                application(frame)
        for inference, application in applications.items():
            theirs, ours = _turns(alpha, application, frames, rounds)
            pairs.append(_pair(alpha, inference, faces, theirs, ours))
    return pairs


def _turns(
    alpha: float, application: Application, frames: Clip, rounds: int
) -> tuple[list[_Turn], list[_Turn]]:
    """The reference's and the daemon's."""
    theirs, ours = [], []
    for number in range(rounds):
        # Made again, so that every round begins with a search; loading the model is not timed.
        made = stages(alpha)
        steps = [
            lambda: theirs.append(_reference(application, frames)),
            lambda made=made: ours.append(_daemon(made, frames)),
        ]
        for step in steps if number % 2 else reversed(steps):
            step()
    return theirs, ours


def _pair(
    alpha: float, inference: Inference, faces: int, theirs: list[_Turn], ours: list[_Turn]
) -> Pair:
    both = list(zip(theirs, ours, strict=True))
    return Pair(
        alpha,
        inference,
        faces,
        Spread.of([turn.wall_ms for turn in theirs]),
        Spread.of([turn.wall_ms for turn in ours]),
        Spread.of([a.wall_ms / b.wall_ms for a, b in both]),
        Spread.of([a.cpu_ms / b.cpu_ms for a, b in both]),
        Spread.of([turn.faces for turn in theirs]).median,
        Spread.of([turn.faces for turn in ours]).median,
    )


def _reference(application: Application, frames: Clip) -> _Turn:
    return _timed(
        lambda: sum(len(application(frame)) for frame in frames.colour), len(frames.colour)
    )


def _daemon(made: Stages, frames: Clip) -> _Turn:
    return _timed(lambda: overlapped(made, frames.gray), len(frames.gray))


def _timed(run: Callable[[], int], count: int) -> _Turn:
    wall_ns, cpu_ns = time.perf_counter_ns(), time.process_time_ns()
    faces = run()
    cpu_ns, wall_ns = time.process_time_ns() - cpu_ns, time.perf_counter_ns() - wall_ns
    return _Turn(wall_ns / 1e6 / count, cpu_ns / 1e6 / count, faces / count)
