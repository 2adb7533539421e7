"""The temperature of averaged readings: ``python -m fer_edge.training.calibrate --dataset …``.

Fits it on the validation split for every card of a folder and writes it into the card, if five-fold
cross-validation there lowers the log loss; otherwise it is 1.  Prints the calibration error in the same
folds, and the error that probabilities without any fault would show on as many faces: a finite number of
faces is never right exactly as often as expected.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import FerEdgeError
from fer_edge.evaluation.calibrate import fit_temperature, scaled
from fer_edge.evaluation.datasets import Samples, load
from fer_edge.evaluation.metrics import calibration_error
from fer_edge.evaluation.runner import classify
from fer_edge.evaluation.tables import markdown_table
from fer_edge.modelcard import ModelCard, list_cards, models_dir, read_model

FOLDS: Final = 5
ROUNDS: Final = 40
"""Draws of labels behind the error of faultless probabilities."""

Probabilities = NDArray[np.float64]
Labels = NDArray[np.int64]


def in_folds(probabilities: Probabilities, labels: Labels, *, seed: int = 0) -> Probabilities:
    """``[N, 8]``, each fifth calibrated by the temperature that the other four have."""
    folds = np.random.default_rng(seed).permutation(len(labels)) % FOLDS
    made = np.empty_like(probabilities)
    for fold in range(FOLDS):
        rest, judged = folds != fold, folds == fold
        temperature = fit_temperature(probabilities[rest].astype(np.float32), labels[rest])
        made[judged] = scaled(probabilities[judged].astype(np.float32), temperature)
    return made


def faultless_error(probabilities: Probabilities, *, seed: int = 0) -> float:
    """The mean calibration error if labels were drawn by exactly these probabilities ``[N, 8]``."""
    rng = np.random.default_rng(seed)
    bounds = probabilities.cumsum(1)[:, :-1]
    errors = []
    for _ in range(ROUNDS):
        labels = (bounds < rng.random((len(probabilities), 1))).sum(1)
        errors.append(calibration_error(labels, probabilities))
    return float(np.mean(errors))


def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """The mean of -log of what was said of the right class."""
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def averaged_temperature(card: ModelCard, model: bytes, judged: Samples) -> tuple[float, list[str]]:
    """What is fitted for one model, and a row of the table."""
    plain = card.model_copy(update={"averaged_temperature": 1.0})
    said = classify(plain, model, judged.pictures, mirror=True).probabilities
    before, after = said.astype(np.float64), in_folds(said.astype(np.float64), judged.labels)
    losses = log_loss(before, judged.labels), log_loss(after, judged.labels)
    temperature = fit_temperature(said, judged.labels) if losses[1] < losses[0] else 1.0
    errors = [calibration_error(judged.labels, one) for one in (before, after)]
    figures = (*losses, *errors, faultless_error(after))
    return temperature, [card.name, f"{temperature:g}", *(f"{value:.4f}" for value in figures)]


def main() -> None:
    """Read the command line, fit, write the cards and print the table."""
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.calibrate")
    parser.add_argument("--dataset", required=True, help="KIND:PATH; its validation split decides")
    parser.add_argument("--models", type=Path, default=models_dir(), help="whose cards are written")
    args = parser.parse_args()
    head = ["averaged readings", "temperature", "log loss", "in folds", "calibration error"]
    head += ["in folds", "of faultless probabilities"]
    rows = []
    try:
        judged = load(args.dataset, "validation")
        for card in list_cards(args.models):
            temperature, row = averaged_temperature(card, read_model(card, args.models), judged)
            rows.append(row)
            new = card.model_copy(update={"averaged_temperature": temperature})
            path = args.models / f"{card.name}.json"
            path.write_text(new.model_dump_json(indent=2) + "\n")
    except (FerEdgeError, OSError) as error:
        raise SystemExit(f"{error}") from None
    sys.stdout.write(f"{markdown_table(head, rows)}\n")


if __name__ == "__main__":
    main()
