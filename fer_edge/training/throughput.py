"""Pictures a second of the input pipeline and of the training step.

``python -m fer_edge.training.throughput --dataset … --alpha 0.25`` takes the options of ``…train``
but for files.  Where the pipeline is the slower one, raise ``--threads`` or add
``--processes``.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.evaluation.datasets import Samples, load
from fer_edge.training.batches import Batches, Targets
from fer_edge.training.network import EMOTION, VALENCE_AROUSAL
from fer_edge.training.options import Config, input_spec, parser
from fer_edge.training.torch_layers import native
from fer_edge.training.train import compile_model, network

BATCHES = 30
"""Of a measurement."""
WARM_UP = 2
"""Before it: the step is compiled."""


@dataclass(frozen=True)
class Throughput:
    """Pictures a second."""

    one_thread: float
    """The pipeline in the calling thread."""
    pipeline: float
    """The pipeline as Keras runs it, into a network that costs nothing."""
    step: float
    """The training step, its pictures at hand."""
    training: float
    """Training: both beside each other."""

    def __str__(self) -> str:
        slower = "pipeline" if self.pipeline < self.step else "training step"
        return (
            f"input pipeline {self.pipeline:.0f} pictures/s ({self.one_thread:.0f} in one thread), "
            f"training step {self.step:.0f}, both together {self.training:.0f}: "
            f"the {slower} is the bottleneck"
        )


def throughput(config: Config, samples: Samples, *, batches: int = BATCHES) -> Throughput:
    """Measure on the first ``batches`` batches of ``samples``; no teacher is asked.

    Raises:
        ConfigError: there are too few samples.
    """
    if len(samples) < config.batch * batches:
        raise ConfigError(
            f"data set: {len(samples)} pictures; --batch {config.batch} "
            f"needs {config.batch * batches} to measure"
        )
    samples = samples[: config.batch * batches]
    alike = np.ones(len(samples), np.float32)
    labels = np.stack([samples.soft_labels] * 2)
    targets = Targets(labels, samples.valence_arousal, alike, alike)
    spec = input_spec(config.size, config.channels)
    whole = Batches(samples, targets, spec, config, 0)
    short = Batches(samples[: WARM_UP * config.batch], targets, spec, config, 0)
    began = time.perf_counter()
    made = [whole[i] for i in range(batches)]
    one_thread = len(samples) / (time.perf_counter() - began)
    speeds = []
    for model in (_nothing(config), native(network(config), bfloat16=config.bfloat16)):
        compile_model(model, config, targets, batches)
        model.fit(short, verbose=0)
        began = time.perf_counter()
        model.fit(whole, verbose=0)
        speeds.append(len(samples) / (time.perf_counter() - began))
    return Throughput(one_thread, speeds[0], _step(model, made), speeds[1])


def _nothing(config: Config) -> Any:
    """A network with the right inputs and outputs and next to nothing between."""
    inputs = keras.Input((config.size, config.size, config.channels))
    corner = keras.layers.Flatten()(inputs[:, :2, :2])
    emotion = keras.layers.Dense(8, activation="softmax", name=EMOTION)(corner)
    plane = keras.layers.Dense(2, activation="tanh", name=VALENCE_AROUSAL)(corner)
    return keras.Model(inputs, {EMOTION: emotion, VALENCE_AROUSAL: plane})


def _step(model: Any, made: list[Any]) -> float:
    """Pictures a second of the training step alone."""
    model.train_on_batch(*made[0])
    began = time.perf_counter()
    for tensor, targets, weights in made:
        model.train_on_batch(tensor, targets, weights)
    return sum(len(tensor) for tensor, *_ in made) / (time.perf_counter() - began)


def main() -> None:
    """Read the command line, measure and print one line."""
    options = parser("throughput", given=("out", "teacher", "init", "limit"))
    options.add_argument("--batches", type=int, default=BATCHES, help="of each measurement")
    chosen = vars(options.parse_args())
    batches = chosen.pop("batches")
    try:
        config = Config(out="", **chosen)
        measured = throughput(config, load(config.dataset, "train"), batches=batches)
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None
    sys.stdout.write(f"α = {config.alpha:g}, {config.size} px, batch {config.batch}: {measured}\n")


if __name__ == "__main__":
    main()
