"""Measure a TFLite file: ``python -m fer_edge.training.evaluate --alpha 0.25 --dataset …``.

Prints Markdown, or JSON with ``--json``.  The figures are those of the card: the test split of
FER+ without the pictures that are in the training split too.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from fer_edge.modelcard import Metrics, ModelCard, find_card, models_dir, read_model
from fer_edge.training import metrics
from fer_edge.training.datasets import LABEL_SOURCE, VALENCE_AROUSAL_SOURCE, Samples, load
from fer_edge.training.runner import classify
from fer_edge.types import EMOTIONS


def measure(card: ModelCard, model: bytes, samples: Samples, split: str) -> Metrics:
    """All figures of ``model`` on ``samples``, rounded to four places."""
    said = classify(card, model, list(samples.pictures))
    predicted = said.probabilities.argmax(1)
    table = metrics.confusion(samples.labels, predicted)
    normalised = metrics.normalised(samples.labels, predicted)
    found = metrics.sensitivities(table)
    bounds = metrics.intervals(samples.labels, predicted)
    plane = samples.valence_arousal
    figures = Metrics(
        dataset="FER2013 pictures with FER+ votes",
        split=f"{split}, without pictures that are in the training split too",
        samples=len(samples),
        label_source=LABEL_SOURCE,
        valence_arousal_source=VALENCE_AROUSAL_SOURCE,
        accuracy=metrics.accuracy(table),
        normalised_accuracy=normalised.accuracy,
        macro_f1=metrics.macro_f1(table),
        normalised_f1=normalised.f1,
        sensitivity=dict(zip(EMOTIONS, found.tolist(), strict=True)),
        valence=metrics.axis_figures(plane, said.valence_arousal, 0),
        arousal=metrics.axis_figures(plane, said.valence_arousal, 1),
        calibration_error=metrics.calibration_error(samples.labels, said.probabilities),
        intervals=bounds,
    )
    return Metrics.model_validate(_rounded(figures.model_dump()))


def _rounded(value: object) -> object:
    """Floats to four places, all the way down: the last digits differ between processors."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_rounded(inner) for inner in value)
    return value


def markdown(card: ModelCard, figures: Metrics) -> str:
    """The figures as tables for a README."""
    bounds = figures.intervals

    def interval(name: str) -> str:
        low, high = bounds[name]
        return f"{low:.3f} to {high:.3f}"

    lines = [
        f"**{card.name}** on {figures.dataset}, {figures.split}: {figures.samples} faces",
        "",
        "| figure | value | 95 % interval |",
        "|---|---|---|",
        f"| accuracy | {figures.accuracy:.3f} | {interval('accuracy')} |",
        f"| normalised accuracy | {figures.normalised_accuracy:.3f} | {interval('normalised_accuracy')} |",
        f"| macro F1 | {figures.macro_f1:.3f} | {interval('macro_f1')} |",
        f"| normalised F1 | {figures.normalised_f1:.3f} | |",
        f"| calibration error | {figures.calibration_error:.3f} | |",
        "",
        "| | " + " | ".join(EMOTIONS) + " |",
        "|---" * (len(EMOTIONS) + 1) + "|",
        "| sensitivity | "
        + " | ".join(f"{figures.sensitivity[emotion]:.2f}" for emotion in EMOTIONS)
        + " |",
        "",
        "| | RMSE | normalised RMSE | SAGR | CCC |",
        "|---|---|---|---|---|",
    ]
    for name, axis in (("valence", figures.valence), ("arousal", figures.arousal)):
        lines.append(
            f"| {name} | {axis.rmse:.3f} | {axis.normalised_rmse:.3f} "
            f"| {axis.sagr:.3f} | {axis.ccc:.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.evaluate")
    parser.add_argument("--alpha", type=float, default=0.25)
    parser.add_argument("--precision", choices=("float32", "int8"), default="int8")
    parser.add_argument("--models", type=Path, default=models_dir(), help="folder of the cards")
    parser.add_argument("--dataset", required=True, help="ferplus:PATH")
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    card = find_card(args.models, args.alpha, args.precision)
    samples = load(args.dataset, args.split)
    figures = measure(card, read_model(card, args.models), samples, args.split)
    as_json = json.dumps(figures.model_dump(mode="json"), indent=2)
    sys.stdout.write((as_json if args.json else markdown(card, figures)) + "\n")


if __name__ == "__main__":
    main()
