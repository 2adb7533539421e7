"""Train widths together, taught about every picture as they see it: ``…training.together --alphas 0.25,1 …``.

A picture is changed anew each time, and the teachers are asked about the changed picture, mixed with
another if that is wished, so their opinion is of what the students see and never the same twice (Beyer
et al., *Knowledge distillation: A good teacher is patient and consistent*, CVPR 2022,
arXiv:2106.05237).  That wants many epochs: it is for a graphics card, on which pictures are changed too
and every step is recorded once as a CUDA graph.  What costs most, the teachers, is shared by all
widths.  It needs PyTorch (extra ``train-torch``) and takes the options of ``…train``, which trains one
width the same way with ``--consistent``; each width has a folder, ``OUT`` and its α.

Run again with the same ``--out`` it goes on where it stopped; the folders are as ``…train`` leaves them.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from typing import Final

import torch

from fer_edge.errors import FerEdgeError
from fer_edge.preprocess import to_tensor
from fer_edge.training.options import Config, input_spec, numbers, parser
from fer_edge.training.progress import Bar
from fer_edge.training.torch_lesson import Lesson, device_of
from fer_edge.training.torch_student import Student, rate_at
from fer_edge.training.train import load_split, note, write_config

LOOKS: Final = 50
"""How often in a run the validation split is looked at and a checkpoint written, at most."""


def train_together(configs: list[Config]) -> None:
    """Train to the end, going on from the last checkpoints; they differ in α, start and folder only."""
    torch.backends.cudnn.benchmark = True
    base = configs[0]
    samples, judged = (load_split(base, split) for split in ("train", "validation"))
    for config in configs:
        write_config(config)
    lesson = Lesson(base, samples)
    students = [Student(config, samples, lesson) for config in configs]
    for student in students:
        student.restore()
    pictures = to_tensor(list(judged.pictures), input_spec(base.size, base.channels))
    pictures = torch.tensor(pictures, device=device_of())
    first = min(student.first for student in students)
    every = math.ceil(base.epochs / LOOKS)
    steps = max(1, len(samples) // base.batch)
    began = time.monotonic()
    with Bar(base.epochs, steps, base.batch, first=first) as bar:
        for epoch in range(first, base.epochs):
            learning = [student for student in students if student.first <= epoch]
            bar.on_epoch_begin(epoch)
            for step, (rows, shares) in enumerate(zip(*lesson.epoch(epoch), strict=True)):
                lesson.give(rows, shares)
                for student in learning:
                    student.learn(rate_at(base, steps, epoch * steps + step))
                bar.on_train_batch_end(step)
            if (epoch + 1) % every == 0 or epoch + 1 == base.epochs:
                for student in learning:
                    figures = student.validate(pictures, judged)
                    said = {"loss": student.loss()} | figures
                    seconds = round(time.monotonic() - began)
                    note(student.out, {"epoch": epoch, "seconds": seconds} | said)
                    student.events.write(epoch, said)
                    student.keep(epoch + 1, figures["score"])


def arguments(argv: list[str] | None = None) -> list[Config]:
    """Read the command line."""
    made = parser("together", given=("alpha", "consistent"))
    made.add_argument("--alphas", required=True, help="by commas")
    given = vars(made.parse_args(argv))
    alphas = numbers(made, given.pop("alphas"))
    base = Config(**given, consistent=True)
    return [dataclasses.replace(base, alpha=a, out=f"{base.out}{a:g}") for a in alphas]


def main() -> None:
    """Read the command line and train."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        train_together(arguments())
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
