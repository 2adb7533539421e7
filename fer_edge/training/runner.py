"""Run a TFLite file over many pictures: exactly what the edge runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_edge.affect import Classifier
from fer_edge.modelcard import ModelCard
from fer_edge.types import GrayImage


@dataclass(frozen=True, eq=False)
class Said:
    """What a network says of N pictures."""

    probabilities: NDArray[np.float32]
    """``[N, 8]``, calibrated by the card's temperature."""
    valence_arousal: NDArray[np.float32]
    """``[N, 2]``."""


def classify(card: ModelCard, model: bytes, crops: Sequence[GrayImage]) -> Said:
    """What the model of ``card`` says of each crop."""
    readings = Classifier(card, model, threads=2)(crops)
    return Said(
        probabilities=np.stack([reading.probabilities for reading in readings]),
        valence_arousal=np.array(
            [(reading.valence, reading.arousal) for reading in readings], np.float32
        ),
    )
