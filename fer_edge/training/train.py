"""Train one width or several together: ``python -m fer_edge.training.train --alphas 0.25,1 --dataset …``.

Several widths get the same batches, and the teachers, who cost most, are asked once for all.  A teacher
that is asked about every picture as it was changed (``--teacher-sees changed`` or ``moved``) never says
the same twice (Beyer et al., *Knowledge distillation: A good teacher is patient and consistent*, CVPR
2022, arXiv:2106.05237); that wants many epochs, and a graphics card, on which pictures are changed too
and every step is recorded once as a CUDA graph.

Each width has a folder, ``OUT`` and its α (``OUT`` alone with ``--alpha``).  Run again with the same
``--out`` it goes on where it stopped.  In the folder: ``config.json`` and ``recipe.json``;
``log.jsonl``, a line for each epoch measured on the validation split, and the same for TensorBoard
(``tensorboard --logdir OUT``); ``last.npz``, to go on from; ``best.npz``, averaged weights of the epoch
with the most of accuracy and macro F1 there, for ``…convert``.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import time
from pathlib import Path
from typing import Any, Final

import torch

from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.evaluation.datasets import Samples, load
from fer_edge.preprocess import to_tensor
from fer_edge.progress import progress_bars
from fer_edge.training.lesson import Lesson, device_of
from fer_edge.training.options import Config, arguments, input_spec
from fer_edge.training.recipes import recipe_of
from fer_edge.training.student import Student, rate_at

log = logging.getLogger(__name__)

MEASURED: Final = 50
"""How often in a run the validation split is measured and a checkpoint written, at most."""


def train(configs: list[Config]) -> None:
    """Train to the end, going on from the last checkpoints.

    The configurations differ in α, what to start from, and folder only.

    Raises:
        ConfigError: a data set without pictures, or weights that cannot be used.
    """
    torch.backends.cudnn.benchmark = True
    base = configs[0]
    samples, judged = (load_split(base, split) for split in ("train", "validation"))
    for config in configs:
        write_config(config)
    lesson = Lesson(base, samples, base.small if base.small_epochs else base.size)
    students = [Student(config, samples, lesson) for config in configs]
    for student in students:
        student.restore()
    spec = input_spec(base.size, base.channels, even=base.even_light)
    pictures = torch.tensor(to_tensor(list(judged.pictures), spec), device=device_of())
    first = min(student.first for student in students)
    steps = max(1, len(samples) // base.batch)
    began = time.monotonic()
    with progress_bars() as add:
        advance = add("training", (base.epochs - first) * steps)
        for epoch in range(first, base.epochs):
            if base.small_epochs and epoch == max(first, base.small_epochs):
                lesson = Lesson(base, samples, base.size)
                for student in students:
                    student.attend(lesson)
            learning = [student for student in students if student.first <= epoch]
            for step, (rows, shares) in enumerate(zip(*lesson.epoch(epoch), strict=True)):
                lesson.give(rows, shares)
                for student in learning:
                    student.learn(rate_at(base, steps, epoch * steps + step))
                advance()
            if (epoch + 1) % math.ceil(base.epochs / MEASURED) == 0 or epoch + 1 == base.epochs:
                for student in learning:
                    _measure(student, epoch, pictures, judged, time.monotonic() - began)


def _measure(student: Student, epoch: int, pictures: Any, judged: Samples, seconds: float) -> None:
    """Write down how good a student is after an epoch, and its checkpoint."""
    figures = student.validate(pictures, judged)
    told = {"loss": student.loss()} | figures
    line = {"epoch": epoch, "seconds": round(seconds)} | told
    with (student.out / "log.jsonl").open("a") as lines:
        lines.write(json.dumps(line) + "\n")
    log.info("α = %g: %s", student.config.alpha, line)
    for name, value in told.items():
        student.events.add_scalar(name, value, epoch)
    student.events.flush()
    student.keep(epoch + 1, figures["score"])


def write_config(config: Config) -> None:
    """Make the run's folder and say in it how it is trained."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    recipe = recipe_of(config.augment, config.change)
    for name, chosen in (("config", config), ("recipe", recipe)):
        (out / f"{name}.json").write_text(json.dumps(dataclasses.asdict(chosen), indent=2) + "\n")


def load_split(config: Config, split: str) -> Samples:
    """One split, or as much of it as is wanted.

    Raises:
        ConfigError: there is nothing in it.
    """
    samples = load(config.dataset, split)[: config.limit or None]
    if not len(samples):
        raise ConfigError(f"data set {config.dataset}: no picture in the split {split}")
    return samples


def main() -> None:
    """Read the command line and train."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        train(arguments())
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
