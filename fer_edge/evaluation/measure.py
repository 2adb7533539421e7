"""All figures of one model file on one data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError
from fer_edge.evaluation import metrics
from fer_edge.evaluation.bootstrap import intervals
from fer_edge.evaluation.datasets import Samples
from fer_edge.evaluation.runner import THREADS, Predictions, classify
from fer_edge.modelcard import Metrics, ModelCard
from fer_edge.types import EMOTIONS

REPORTED_FIGURES: Final = (
    "accuracy",
    "normalised_accuracy",
    "macro_f1",
    "normalised_f1",
    "calibration_error",
)
"""Figures of the classes, in the order of a report."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured, and what it was measured from."""

    card: ModelCard
    samples: Samples
    predictions: Predictions
    figures: Metrics
    threads: int
    """Threads of the interpreter."""
    mirror: bool = False
    """Whether each picture's mirror image is averaged in, as is that of a face in view."""

    @property
    def name(self) -> str:
        """Name for files: the model's, and whether mirror images were averaged in."""
        return f"{self.card.name}_mirror" if self.mirror else self.card.name

    @property
    def differs_from_card(self) -> list[str] | None:
        """Names of the figures that differ from the card's; None if the card has no comparable ones."""
        return None if self.mirror else differences(self.card, self.figures)

    @property
    def table(self) -> NDArray[np.int64]:
        """The confusion matrix ``[8, 8]``; rows are the truth."""
        return metrics.confusion(self.samples.labels, self.predictions.probabilities.argmax(1))

    @property
    def latency_ms(self) -> dict[str, float]:
        """Milliseconds a face, median and 95th percentile."""
        p50, p95 = np.percentile(self.predictions.face_ms, [50, 95])
        return {"p50": round(float(p50), 3), "p95": round(float(p95), 3)}


def evaluate(
    card: ModelCard,
    model: bytes,
    samples: Samples,
    *,
    threads: int = THREADS,
    mirror: bool = False,
    advance: Callable[[], object] = lambda: None,
) -> Evaluation:
    """Run ``model`` over ``samples``; ``advance`` is called after each picture.

    With ``mirror`` each one's mirror image is averaged in, as is that of a face in view.

    Raises:
        ConfigError: there are no samples, or a picture cannot be read.
        ModelError: the interpreter is not there or refuses the model.
    """
    if not len(samples):
        raise ConfigError(
            f"data set: {samples.origin.split}: no usable picture; choose another split"
        )
    predictions = classify(
        card, model, samples.pictures, threads=threads, mirror=mirror, advance=advance
    )
    return Evaluation(card, samples, predictions, figures_of(samples, predictions), threads, mirror)


def measure(card: ModelCard, model: bytes, samples: Samples) -> Metrics:
    """All figures of ``model`` on ``samples``, rounded to four places, as a card states them."""
    return evaluate(card, model, samples).figures


def figures_of(samples: Samples, predictions: Predictions) -> Metrics:
    """All figures, rounded to four places: further ones differ between processors."""
    truth, predicted = samples.labels, predictions.probabilities.argmax(1)
    table = metrics.confusion(truth, predicted)
    normalised = metrics.normalised(truth, predicted)
    found = zip(EMOTIONS, metrics.sensitivities(table).tolist(), strict=True)
    plane, predicted_plane = samples.valence_arousal, predictions.valence_arousal
    figures = Metrics(
        dataset=samples.origin.dataset,
        split=samples.origin.split,
        samples=len(samples),
        label_source=samples.origin.label_source,
        valence_arousal_source=samples.origin.valence_arousal_source,
        accuracy=metrics.accuracy(table),
        normalised_accuracy=normalised.accuracy,
        macro_f1=metrics.macro_f1(table),
        normalised_f1=normalised.f1,
        sensitivity={emotion: share for emotion, share in found if not np.isnan(share)},
        valence=metrics.axis_figures(plane, predicted_plane, 0),
        arousal=metrics.axis_figures(plane, predicted_plane, 1),
        calibration_error=metrics.calibration_error(truth, predictions.probabilities),
        intervals=intervals(truth, predictions.probabilities, plane, predicted_plane),
    )
    return Metrics.model_validate(_rounded(figures.model_dump()))


def differences(card: ModelCard, figures: Metrics) -> list[str] | None:
    """Names of the figures that differ from the card's; None if it was measured on other pictures."""
    stated = card.metrics
    if (stated.dataset, stated.split) != (figures.dataset, figures.split):
        return None
    expected, found = stated.model_dump(), figures.model_dump()
    # A card may state fewer intervals than are measured today.
    found["intervals"] = {name: found["intervals"].get(name) for name in expected["intervals"]}
    return [name for name in expected if expected[name] != found[name]]


def _rounded(value: object) -> object:
    """Floats to four places, all the way down."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_rounded(inner) for inner in value)
    return value
