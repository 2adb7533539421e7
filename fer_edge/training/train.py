"""Train one width: ``python -m fer_edge.training.train --alpha 0.25 --dataset ferplus:PATH …``.

Run again with the same ``--out`` it goes on where it stopped.  In ``--out``: ``config.json`` and
``recipe.json``; ``log.jsonl``, one line an epoch, on the validation split, and the same for
TensorBoard (``tensorboard --logdir OUT``); ``last.npz``, to go on from; ``best.weights.h5``, averaged
weights of the epoch with the most of accuracy and macro F1 there, for ``…convert``.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.evaluation import metrics
from fer_edge.evaluation.datasets import Samples, load
from fer_edge.modelcard import InputSpec
from fer_edge.preprocess import to_tensor
from fer_edge.training.augment import recipe_of
from fer_edge.training.average import Average
from fer_edge.training.balance import class_weights, region_weights
from fer_edge.training.batches import Batches, Targets
from fer_edge.training.distill import blend, opinions
from fer_edge.training.folded import load_weights
from fer_edge.training.losses import adjusted_cross_entropy, plane_loss
from fer_edge.training.narrow import start_from
from fer_edge.training.network import EMOTION, VALENCE_AROUSAL, build
from fer_edge.training.options import Config, arguments, input_spec
from fer_edge.training.progress import Bar
from fer_edge.training.tensorboard import EventFile
from fer_edge.training.torch_layers import native

log = logging.getLogger(__name__)

CHUNK = 4096
"""Pictures that are held as tensors at a time."""


def targets_of(config: Config, samples: Samples, spec: InputSpec, cache: Path) -> Targets:
    """Votes, mixed with the opinion of the teachers where there are any, and what each weighs."""
    emotion = np.stack([samples.soft_labels] * 2)
    if config.teacher:
        logits = opinions(config.teacher, samples, spec, cache)
        emotion = blend(
            samples.soft_labels, logits, share=config.share, temperature=config.temperature
        )
    plane, alike = samples.valence_arousal, np.ones(len(samples), np.float32)
    by_class = class_weights(samples.labels) if config.class_weights == "balanced" else alike
    by_region = region_weights(plane, config.va_regions) if config.va_regions else alike
    return Targets(emotion, plane, by_class, by_region)


def network(config: Config) -> Any:
    """Build the network; one for pictures of several sizes if the first epochs have small ones."""
    size = None if config.small_epochs else config.size
    return build(config.alpha, size=size, channels=config.channels, dropout=config.dropout)


def start(config: Config, samples: Samples, spec: InputSpec) -> Any:
    """Build the network with its first weights."""
    keras.utils.set_random_seed(config.seed)
    model = network(config)
    if config.init.endswith(".h5"):
        model.load_weights(config.init)
    elif config.init:
        weights = load_weights(config.init, channels=config.channels)
        rows = np.random.default_rng(config.seed).permutation(len(samples))[:512]
        start_from(model, weights, to_tensor(list(samples.pictures[rows]), spec))
    return model


def optimizer_of(config: Config, steps: int) -> Any:
    """The optimizer: warm-up and cosine, or a factor an epoch."""
    schedules = keras.optimizers.schedules
    if config.rate_decay:
        schedule = schedules.ExponentialDecay(config.rate, steps, config.rate_decay, staircase=True)
    else:
        schedule = schedules.CosineDecay(
            0.0,
            decay_steps=max(1, steps * (config.epochs - 1)),
            warmup_target=config.rate,
            warmup_steps=steps,
        )
    match config.optimizer:
        case "adam":
            return keras.optimizers.Adam(schedule)
        case "rmsprop":
            return keras.optimizers.RMSprop(schedule)
        case "adamw":
            made = keras.optimizers.AdamW(schedule, weight_decay=config.decay, clipnorm=5.0)
            made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
            return made


def compile_model(model: Any, config: Config, targets: Targets, steps: int) -> None:
    """Optimizer and a loss for each head."""
    optimizer = optimizer_of(config, steps)
    model.compile(
        optimizer=optimizer,
        loss={
            EMOTION: adjusted_cross_entropy(targets.emotion.mean((0, 1)), config.tau),
            VALENCE_AROUSAL: plane_loss(config.va_loss),
        },
        loss_weights={EMOTION: 1.0, VALENCE_AROUSAL: config.va_weight},
        jit_compile=False,
    )
    optimizer.build(model.trainable_variables)


def validate(model: Any, samples: Samples, spec: InputSpec) -> dict[str, float]:
    """Figures on the validation split, without averaging in the mirror image."""
    parts = []
    for first in range(0, len(samples), CHUNK):
        tensor = to_tensor(list(samples.pictures[first : first + CHUNK]), spec)
        parts.append(model.predict(tensor, batch_size=128, verbose=0))
    emotion, plane = (
        np.concatenate([p[name] for p in parts]) for name in (EMOTION, VALENCE_AROUSAL)
    )
    return figures_of(samples, emotion, plane)


def figures_of(
    samples: Samples, emotion: NDArray[np.float32], plane: NDArray[np.float32]
) -> dict[str, float]:
    """Figures of what a network said of the samples, ``[N, 8]`` and ``[N, 2]``.

    ``score``, by which an epoch is the best, is accuracy + macro F1.
    """
    figures = metrics.summary(metrics.confusion(samples.labels, emotion.argmax(1)))
    axes = [metrics.axis_figures(samples.valence_arousal, plane, axis) for axis in range(2)]
    return {
        **figures,
        "score": figures["accuracy"] + figures["macro_f1"],
        **{f"rmse_{n}": a.rmse for n, a in zip(("valence", "arousal"), axes, strict=True) if a},
        **{f"ccc_{n}": a.ccc for n, a in zip(("valence", "arousal"), axes, strict=True) if a},
    }


def train(config: Config) -> Path:
    """Train to the end, going on from the last epoch saved; return the best weights' path."""
    out = Path(config.out)
    spec = input_spec(config.size, config.channels)
    samples, judged = (load_split(config, split) for split in ("train", "validation"))
    write_config(config)
    targets = targets_of(config, samples, spec, out.parent / "cache")
    steps = max(1, len(samples) // config.batch)
    model = native(start(config, samples, spec), bfloat16=config.bfloat16)
    compile_model(model, config, targets, steps)
    average = Average(model, config.average)
    shadow = network(config)
    swift = native(shadow)
    first, best = average.restore(out / "last.npz")
    if first == 0:
        log.info("start: %s", validate(model, judged, spec))
    events = EventFile(out / "tensorboard")
    with Bar(config.epochs, steps, config.batch, first=first) as bar:
        for epoch in range(first, config.epochs):
            began = time.monotonic()
            seen = (
                input_spec(config.small, config.channels) if epoch < config.small_epochs else spec
            )
            batches = Batches(samples, targets, seen, config, epoch)
            callbacks = [average, bar]
            history = model.fit(
                batches, initial_epoch=epoch, epochs=epoch + 1, callbacks=callbacks, verbose=0
            )
            swift.set_weights(average.weights)
            figures = validate(swift, judged, spec)
            if figures["score"] > best:
                best = figures["score"]
                shadow.set_weights(average.weights)
                shadow.save_weights(out / "best.weights.h5")
            losses = {name: values[0] for name, values in history.history.items()}
            seconds = round(time.monotonic() - began)
            note(out, {"epoch": epoch, "seconds": seconds} | losses | figures)
            events.write(epoch, losses | figures)
            average.save(out / "last.npz", epoch + 1, best)
    return out / "best.weights.h5"


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


def note(out: Path, line: dict[str, float]) -> None:
    """One line an epoch, for people and for plots."""
    with (out / "log.jsonl").open("a") as lines:
        lines.write(json.dumps(line) + "\n")
    log.info("%s", line)


def run(config: Config) -> None:
    """Train in the way that ``config`` asks for.

    Raises:
        ConfigError: ``consistent`` without PyTorch, and whatever else cannot be used.
    """
    if not config.consistent:
        train(config)
        return
    try:
        from fer_edge.training.together import train_together
    except ModuleNotFoundError as error:
        needed = "pip install 'fer-edge[train-torch]'"
        raise ConfigError(f"--consistent needs PyTorch ({error}): {needed}") from None
    train_together([config])


def main() -> None:
    """Read the command line and train."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        run(arguments())
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
