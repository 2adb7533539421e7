"""`benchmarks/wild`: what `fer-edge run` finds, reads and keeps of faces in the wild.

Pictures are laid over textured 1080p backgrounds at known places and the video goes through `fer-edge run`
itself. A face is found if it is published within its .8 s in view, ten frames a second, with a box whose
intersection over union with the true one is at least .3.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fer_edge.types import GrayImage
from measure import report
from measure.wild import boxes, found, nobody, stillness, turning
from measure.wild.faces import Face, close_faces, whole_faces
from measure.wild.film import Program
from measure.wild.grid import draw_grid
from measure.wild.rows import TARGETS, Row, Targets, at_least, found_row, read_rows

PARTS = ("close", "whole", "turning", "still", "nobody")
CLIPS_WITHOUT_FACES = ("no_face.mp4",)


@dataclass
class Run:
    """One measurement: what it needs, and what it has found so far."""

    options: argparse.Namespace
    program: Program
    data: Path
    video: Path
    targets: Targets | None
    box_rows: list[boxes.Row] = field(default_factory=list)
    missed: list[tuple[str, GrayImage]] = field(default_factory=list)

    def close(self) -> Iterator[Row]:
        """Faces cut close: found and read."""
        faces = close_faces(self.data, self.options.limit, self.options.seed)
        answers = {}
        for condition in found.conditions("close"):
            answers[condition.name] = self._ask(faces, condition)
            yield found_row("close", condition.name, answers[condition.name], self.targets)
        yield from read_rows(answers, self.targets)

    def whole(self) -> Iterator[Row]:
        """Faces with their surroundings: found."""
        faces = whole_faces(self.data, self.options.whole)
        for condition in found.conditions("whole"):
            yield found_row("whole", condition.name, self._ask(faces, condition), self.targets)

    def turning(self) -> Iterator[Row]:
        """Ids kept."""
        faces = close_faces(
            self.data, min(self.options.heads, self.options.limit), self.options.seed
        )
        seen = turning.measure_turning(self.program, faces, self.video, seed=self.options.seed)
        what = "ids kept while a head turns from −45° to 45° and back in 2 s"
        if not seen.known:
            yield Row(what, f"0 of {seen.heads} heads known at −45°", passed=False)
            return
        published = f"published in {seen.seen / seen.frames:.0%} of the frames"
        count = f"{seen.kept} of {seen.known} heads known at −45°, of {seen.heads}; {published}"
        target = None if self.targets is None else self.targets.kept
        yield at_least(what, seen.kept / seen.known, count, target)

    def still(self) -> Iterator[Row]:
        """A portrait, and a person who sits."""
        labels = (
            "a portrait among moving people told still",
            "a person sitting still not told still",
        )
        if not stillness.is_published():
            yield from (Row(label, "not published") for label in labels)
            return
        options = self.options
        faces = close_faces(self.data, options.limit, options.seed)
        told = stillness.measure_still(
            self.program, faces, options.films, options.still_seconds, self.video, seed=options.seed
        )
        least = self.targets
        count = f"{told.still} of {told.portraits} after {options.still_seconds:g} s"
        share = told.still / max(1, told.portraits)
        yield at_least(labels[0], share, count, None if least is None else least.still)
        share = told.moving / max(1, told.sitting)
        count = f"of {told.sitting} frames"
        yield at_least(labels[1], share, count, None if least is None else least.sitting)

    def nobody(self) -> Iterator[Row]:
        """False tracks."""
        clips = [self.data / "clips" / name for name in CLIPS_WITHOUT_FACES]
        seconds = self.options.nobody + sum(map(nobody.clip_seconds, clips))
        count = nobody.count_false_tracks(
            self.program, self.options.nobody, clips, self.video, seed=self.options.seed
        )
        what = f"false tracks in {seconds:.0f} s without faces, no_face.mp4 among them"
        if self.targets is None:
            yield Row(what, str(count))
            return
        most = self.targets.false_tracks * max(1, round(seconds / 600))
        yield Row(what, str(count), f"≤ {most}", count <= most)

    def _ask(self, faces: Sequence[Face], condition: found.Condition) -> list[found.Answer]:
        options = self.options
        answers = found.measure(
            self.program, faces, condition, self.video, seed=options.seed, gap=options.gap
        )
        label = f"{condition.kind} {condition.name}"
        self.box_rows += boxes.box_rows({label: answers})
        self.missed += [(label, one.shown.cut) for one in answers if not one.found]
        return answers


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and end with 1 if a target is missed."""
    options = _parse(arguments)
    settings = [f"detector.type={options.detector}", *options.settings]
    with tempfile.TemporaryDirectory() as folder:
        run = Run(
            options,
            Program(settings, live=options.live),
            Path(os.environ["FER_EDGE_DATA"]),
            Path(folder, "faces.avi"),
            TARGETS.get(options.detector),
        )
        rows = list(_rows(run))
    print(f"`benchmarks/wild {' '.join(sys.argv[1:] if arguments is None else arguments)}`\n")
    print(report.machine() + "\n")
    print(report.table(("figure", "measured", "target", "verdict"), [row.cells() for row in rows]))
    if run.box_rows:
        print("\nPublished boxes on the faces found, in sides of the true box and degrees:\n")
        header = ("condition", "faces", "across", "down", "scale", "angle")
        print(report.table(header, boxes.summary(run.box_rows)))
    if options.boxes:
        boxes.write_boxes(run.box_rows, options.boxes)
    if options.grid:
        draw_grid(run.missed, options.grid)
    return int(any(row.passed is False for row in rows))


def _rows(run: Run) -> Iterator[Row]:
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "close": run.close,
        "whole": run.whole,
        "turning": run.turning,
        "still": run.still,
        "nobody": run.nobody,
    }
    for name in run.options.only:
        for row in parts[name]():
            print(" | ".join(row.cells()), file=sys.stderr, flush=True)
            yield row


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/wild", description=__doc__)
    add = parser.add_argument
    add("--detector", default="viola_jones", help="viola_jones, yunet or centerface")
    add("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    add("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some parts of the table")
    add("--limit", type=int, default=120, help="pictures of wild.npz in each condition")
    add("--whole", type=Path, metavar="FOLDER", help="more whole photographs, one face in each")
    add("--gap", type=int, default=5, help="frames without a face between two")
    add("--heads", type=int, default=24, help="heads that turn")
    add("--films", type=int, default=8, help="films with a portrait")
    add("--still-seconds", type=float, default=40.0, help="length of each")
    add("--nobody", type=int, default=600, help="seconds without anybody")
    add("--live", action="store_true", help="at the video's own pace, frames dropped as they are")
    add("--seed", type=int, default=1)
    add("--boxes", type=Path, metavar="FILE.json", help="where published boxes lie on the faces")
    add("--grid", type=Path, metavar="FILE.png", help="a picture of the faces that were missed")
    options = parser.parse_args(arguments)
    if "FER_EDGE_DATA" not in os.environ:
        parser.error("set FER_EDGE_DATA to the folder with wild.npz and clips/")
    return options
