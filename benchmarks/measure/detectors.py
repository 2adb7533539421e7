"""`benchmarks/detectors`: the detectors side by side, on still frames of 1920×1080."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from pydantic import TypeAdapter

from fer_edge.config import DetectorConfig
from fer_edge.errors import ConfigError
from fer_edge.geometry import iou
from fer_edge.sources._pictures import GrayPicture
from fer_edge.types import Box, Detection, Detector, GrayImage
from fer_edge.vision.detectors import open_detector
from measure.report import machine, table
from measure.wild.faces import Face, whole_faces
from measure.wild.found import OVERLAP
from measure.wild.nobody import photographs
from measure.wild.scene import HEIGHT, WIDTH, Pose, background, lay, true_box

TYPES = ("viola_jones", "yunet", "centerface")
WIDTHS = (220, 110, 70)
"""Of the faces in pixels."""
TILTS = (0, 15, 30, 45)


@dataclass(frozen=True, eq=False)
class Still:
    """A frame, and the face in it; None where there is none."""

    frame: GrayImage
    face: Box | None
    shown: tuple[int, int] = (0, 0)
    """Width of the face in pixels, and its tilt in degrees."""


@dataclass
class Tally:
    """What one detector did."""

    hits: dict[tuple[int, int], list[bool]] = field(default_factory=dict)
    """Whether each face was found, by its width and tilt."""
    false: int = 0
    search_ms: list[float] = field(default_factory=list)
    turn_ms: list[float] = field(default_factory=list)
    follow_ms: list[float] = field(default_factory=list)

    @property
    def found(self) -> int:
        """How many faces."""
        return sum(map(sum, self.hits.values()))

    @property
    def recall(self) -> float:
        """Share of the faces that a whole search found."""
        return self.found / sum(map(len, self.hits.values()))

    @property
    def precision(self) -> float:
        """Share of what it found that were faces."""
        return self.found / max(1, self.found + self.false)


def stills(faces: Sequence[Face], empty: int, seed: int) -> list[Still]:
    """Each face at each width and tilt over a background of its own, and frames without a face."""
    rng = np.random.default_rng(seed)
    made = []
    for face in faces:
        for width in WIDTHS:
            for tilt in TILTS:
                pose = Pose(
                    float(rng.integers(400, WIDTH - 400)),
                    float(rng.integers(350, HEIGHT - 350)),
                    width / face.box.width,
                    float(tilt if len(made) % 2 else -tilt),
                )
                made.append(
                    Still(lay(background(rng), face, pose), true_box(face, pose), (width, tilt))
                )
    walls = [background(rng) for _ in range(empty)]
    size = (WIDTH, HEIGHT)
    things = [np.asarray(cv2.resize(one, size), np.uint8) for one in photographs()]
    return made + [Still(frame, None) for frame in walls + things]


def measure(detector: Detector, shown: Sequence[Still]) -> Tally:
    """A whole search of each frame, its first part, and a step of following."""
    tally = Tally()
    for still in shown:
        picture = GrayPicture(still.frame)
        found = _timed(tally.search_ms, lambda at=picture: detector.search(at, turn=None))
        _timed(tally.turn_ms, lambda at=picture: detector.search(at, turn=0))
        right = [one for one in found if still.face and iou(one.box, still.face) >= OVERLAP]
        if still.face:
            tally.hits.setdefault(still.shown, []).append(bool(right))
        tally.false += len(found) - len(right)
        if right:
            _timed(tally.follow_ms, lambda at=picture, one=right[0]: detector.follow(at, [one]))
    return tally


def _timed(times: list[float], call) -> Sequence[Detection]:  # noqa: ANN001
    begun = time.perf_counter()
    found: Sequence[Detection] = call()
    times.append(1000 * (time.perf_counter() - begun))
    return found


def _instructions(root: Path, kind: str) -> tuple[str, str]:
    """Millions on a Cortex-A72: a frame's following, and its share of the searches."""
    from measure.arm64.emulate import emulator
    from measure.arm64.stages import Stage

    config = {"model": {"alpha": 0.25, "precision": "int8"}, "detector": {"type": kind}}
    with emulator(root.resolve()) as made:
        count = made.count(config, picture="luma", frames=180)
    stages = (count.stage(stage) / 1e6 for stage in (Stage.FOLLOW, Stage.SEARCH))
    follow, search = (f"{millions:.1f}" for millions in stages)
    return follow, search


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each detector on the same frames; print a table."""
    options = _parse(arguments)
    faces = whole_faces(options.data, options.whole)[:: options.every]
    shown = stills(faces, options.empty, options.seed)
    rows, recalls = [], []
    base: Tally | None = None
    for kind in options.type:
        section: dict[str, object] = {"type": kind}
        if kind == "centerface" and options.centerface:
            section["model"] = options.centerface
        try:
            detector = open_detector(TypeAdapter(DetectorConfig).validate_python(section))
        except ConfigError as error:
            print(f"{kind} left out: {error}", file=sys.stderr)
            continue
        tally = measure(detector, shown)
        base = base or tally
        recalls.append((kind, *(f"{np.mean(tally.hits[one]):.2f}" for one in tally.hits)))
        counted = ("", "")
        if options.root and kind != "centerface":
            counted = _instructions(options.root, kind)
        rows.append((kind, *_cells(tally, base), *counted))
    print(f"{machine()}\n")
    print(
        f"{sum(one.face is not None for one in shown)} faces {WIDTHS} px wide, tilted by {TILTS}°,"
    )
    print(
        f"in frames of {WIDTH}×{HEIGHT}; {sum(one.face is None for one in shown)} frames without one.\n"
    )
    header = ("detector", "whole search, ms", "ratio", "first part, ms", "following, ms", "recall")
    counts = ("A72: M instructions a frame, following", "searching")
    print(table((*header, "precision", *counts), rows))
    kinds = [f"{width} px, {tilt}°" for width in WIDTHS for tilt in TILTS]
    print("\nRecall by the face's width and tilt:\n")
    print(table(("detector", *kinds), recalls))
    return 0


def _cells(tally: Tally, base: Tally) -> tuple[str, ...]:
    search, turn, follow = (
        float(np.median(times or [float("nan")]))
        for times in (tally.search_ms, tally.turn_ms, tally.follow_ms)
    )
    ratio = search / float(np.median(base.search_ms))
    times = f"{search:.1f}", f"{ratio:.2f}", f"{turn:.1f}", f"{follow:.2f}"
    return (*times, f"{tally.recall:.2f}", f"{tally.precision:.2f}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    data, root = (os.environ.get(name) for name in ("FER_EDGE_DATA", "FER_EDGE_ARM64_ROOT"))
    parser = argparse.ArgumentParser(prog="benchmarks/detectors", description=__doc__)
    parser.add_argument("--data", type=Path, default=data and Path(data), help="FER_EDGE_DATA")
    parser.add_argument("--type", nargs="+", choices=TYPES, default=list(TYPES))
    parser.add_argument("--centerface", type=Path, metavar="FILE", help="its weights")
    parser.add_argument(
        "--whole", type=Path, metavar="FOLDER", help="photographs with one face each"
    )
    parser.add_argument("--empty", type=int, default=20, help="drawn frames without a face")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every N-th face alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--root",
        type=Path,
        default=root and Path(root),
        help="count instructions in this arm64 system",
    )
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("name the folder of the datasets by --data or FER_EDGE_DATA")
    return options
