"""Run a TFLite file over many pictures, one at a time: exactly what the edge runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_edge.affect import Classifier
from fer_edge.affect.turns import averaged
from fer_edge.modelcard import ModelCard
from fer_edge.preprocess import mirrored
from fer_edge.quiet import quiet_stderr
from fer_edge.types import GrayImage

THREADS = 2
"""Of the interpreter, unless told otherwise."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a network predicts for N pictures."""

    probabilities: NDArray[np.float32]
    """``[N, 8]``, calibrated by the card's temperature."""
    valence_arousal: NDArray[np.float32]
    """``[N, 2]``."""
    face_ms: NDArray[np.float64]
    """``[N]``, milliseconds from crop to probabilities, scaling to the input's size included."""


def classify(
    card: ModelCard,
    model: bytes,
    crops: Iterable[GrayImage],
    *,
    threads: int = THREADS,
    mirror: bool = False,
    advance: Callable[[], object] = lambda: None,
) -> Predictions:
    """What the model of ``card`` predicts for each crop; ``advance`` is called after each.

    With ``mirror`` it is the mean of the predictions for the crop and for its mirror image, as for a
    face in view.

    Raises:
        ModelError: the interpreter is not there or refuses the model.
        ConfigError: a picture cannot be read.
    """
    with quiet_stderr():
        classifier = Classifier(card, model, threads=threads)
    readings, spent_ns = [], []
    for crop in crops:
        began_ns = time.perf_counter_ns()
        reading = classifier([crop])[0]
        if mirror:
            other = classifier([mirrored(crop)])[0]
            reading = averaged(reading, other, card.averaged_temperature)
        readings.append(reading)
        spent_ns.append(time.perf_counter_ns() - began_ns)
        advance()
    return Predictions(
        probabilities=np.stack([reading.probabilities for reading in readings]),
        valence_arousal=np.array(
            [(reading.valence, reading.arousal) for reading in readings], np.float32
        ),
        face_ms=np.array(spent_ns) / 1e6,
    )
