"""Train one width: ``python -m fer_edge.training.train --alpha 0.25 --dataset ferplus:PATH …``.

Run again with the same ``--out`` it goes on where it stopped.  In ``--out``: ``config.json`` and
``recipe.json``; ``log.jsonl``, one line an epoch, on the validation split; ``last.npz``, to go on
from; ``best.weights.h5``, averaged weights of the best epoch by validation, for ``…convert``.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_edge.evaluation import metrics
from fer_edge.evaluation.datasets import Samples, load
from fer_edge.modelcard import InputSpec
from fer_edge.preprocess import to_tensor
from fer_edge.training.augment import Recipe
from fer_edge.training.average import Average
from fer_edge.training.batches import Batches, Targets
from fer_edge.training.distill import blend, teacher_logits
from fer_edge.training.losses import adjusted_cross_entropy, known_squares
from fer_edge.training.narrow import start_from
from fer_edge.training.network import EMOTION, VALENCE_AROUSAL, build, load_weights
from fer_edge.training.options import Config, arguments, input_spec

log = logging.getLogger(__name__)


def targets_of(config: Config, samples: Samples, spec: InputSpec, cache: Path) -> Targets:
    """Votes, mixed with the teacher's opinion where there is one."""
    emotion = np.stack([samples.soft_labels] * 2)
    if config.teacher:
        logits = teacher_logits(Path(config.teacher), samples, spec, cache)
        emotion = blend(
            samples.soft_labels, logits, share=config.share, temperature=config.temperature
        )
    return Targets(emotion, samples.valence_arousal)


def start(config: Config, samples: Samples, spec: InputSpec) -> Any:
    """Build the network with its first weights."""
    keras.utils.set_random_seed(config.seed)
    model = build(config.alpha, size=config.size, dropout=config.dropout)
    if config.init.endswith(".h5"):
        model.load_weights(config.init)
    elif config.init:
        rows = np.random.default_rng(config.seed).permutation(len(samples))[:512]
        start_from(model, load_weights(config.init), to_tensor(list(samples.pictures[rows]), spec))
    return model


def compile_model(model: Any, config: Config, targets: Targets, steps: int) -> None:
    """AdamW, one epoch of warm-up and a cosine; one loss for each head."""
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, steps * (config.epochs - 1)),
        warmup_target=config.rate,
        warmup_steps=steps,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.decay, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    prior = targets.emotion.mean((0, 1))
    model.compile(
        optimizer=optimizer,
        loss={
            EMOTION: adjusted_cross_entropy(prior, config.tau),
            VALENCE_AROUSAL: known_squares,
        },
        loss_weights={EMOTION: 1.0, VALENCE_AROUSAL: config.va_weight},
        jit_compile=False,
    )
    optimizer.build(model.trainable_variables)


def validate(model: Any, samples: Samples, tensor: Any) -> dict[str, float]:
    """Figures on the validation split, without averaging in the mirror image."""
    said = model.predict(tensor, batch_size=128, verbose=0)
    table = metrics.confusion(samples.labels, said[EMOTION].argmax(1))
    found = metrics.sensitivities(table)
    error = said[VALENCE_AROUSAL] - samples.valence_arousal
    return {
        "accuracy": metrics.accuracy(table),
        "normalised_accuracy": float(np.nanmean(found)),
        "macro_f1": metrics.macro_f1(table),
        "least_sensitivity": float(np.nanmin(found)),
        "rmse_valence": float(np.sqrt(np.nanmean(error[:, 0] ** 2))),
        "rmse_arousal": float(np.sqrt(np.nanmean(error[:, 1] ** 2))),
    }


def train(config: Config) -> Path:
    """Train to the end, going on from the last epoch saved; return the best weights' path."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    for name, chosen in (("config", config), ("recipe", Recipe())):
        (out / f"{name}.json").write_text(json.dumps(dataclasses.asdict(chosen), indent=2) + "\n")
    spec = input_spec(config.size)
    keep = slice(0, config.limit or None)
    samples = load(config.dataset, "train")[keep]
    judged = load(config.dataset, "validation")[keep]
    judged_tensor = to_tensor(list(judged.pictures), spec)
    targets = targets_of(config, samples, spec, out.parent / "cache")
    model = start(config, samples, spec)
    compile_model(model, config, targets, max(1, len(samples) // config.batch))
    average = Average(model, config.average)
    shadow = build(config.alpha, size=config.size, dropout=config.dropout)
    first, best = average.restore(out / "last.npz")
    if first == 0:
        log.info("start: %s", validate(model, judged, judged_tensor))
    for epoch in range(first, config.epochs):
        began = time.monotonic()
        batches = Batches(samples, targets, spec, config, epoch)
        history = model.fit(batches, callbacks=[average], verbose=1 if sys.stdout.isatty() else 2)
        shadow.set_weights(average.weights)
        figures = validate(shadow, judged, judged_tensor)
        score = figures["accuracy"] + figures["normalised_accuracy"]
        if score > best:
            best = score
            shadow.save_weights(out / "best.weights.h5")
        spent = {"epoch": epoch, "seconds": round(time.monotonic() - began)}
        _note(out, spent | {"loss": history.history["loss"][0]} | figures)
        average.save(out / "last.npz", epoch + 1, best)
    return out / "best.weights.h5"


def _note(out: Path, line: dict[str, float]) -> None:
    """One line an epoch, for people and for plots."""
    with (out / "log.jsonl").open("a") as lines:
        lines.write(json.dumps(line) + "\n")
    log.info("%s", line)


def main() -> None:
    """Read the command line and train."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(arguments())


if __name__ == "__main__":
    main()
