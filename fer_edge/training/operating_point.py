"""Where a network stands between accuracy and equal sensitivity of the classes.

Logit adjustment after training (Menon et al., *Long-tail Learning via Logit Adjustment*, ICLR 2021,
arXiv:2007.07314): a share of the log of the classes' prior is taken from the logits, so that more of it
finds rare classes oftener and less of it is right oftener.  Nothing is learnt by that.  Here it moves
rare classes only: between frequent ones, such as neutral and sad, it would cost most of the accuracy.

``python -m fer_edge.training.operating_point --dataset …`` shows what a share brings on the validation
split, as a mean over models and for the model that finds its least found class least, and what one
brings that each model chose on half of the split, on the other half.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import FerEdgeError, ModelError
from fer_edge.evaluation import metrics
from fer_edge.evaluation.datasets import load
from fer_edge.evaluation.runner import classify
from fer_edge.evaluation.tables import markdown_table
from fer_edge.modelcard import list_cards, models_dir, read_model
from fer_edge.training.network import EMOTION, Weights
from fer_edge.types import EMOTIONS

Bias = NDArray[np.float64]
"""What is added to the logits, ``[8]``."""
Table = NDArray[np.int64]
"""Confusion matrix, ``[8, 8]``."""

SHARES: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
RARE: Final = 0.05
"""Classes with a larger share of the pictures stay as they are."""
ROUNDS: Final = 20
"""How often the split is halved."""


def prior_of(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each class's share of the pictures, ``[8]``."""
    shares: NDArray[np.float64] = np.bincount(labels, minlength=len(EMOTIONS)) / len(labels)
    return shares


def towards_rare(prior: NDArray[np.float64], share: float) -> Bias:
    """The bias that takes ``share`` of the log of the ``prior`` ``[8]`` over ``RARE`` from the logits."""
    # A class without pictures is moved by some finite number.
    return np.round(share * np.log(RARE / np.clip(prior, 1e-6, RARE)), 2)


def moved(weights: Weights, bias: Bias) -> Weights:
    """Folded weights with ``bias`` added to the logits."""
    name = f"{EMOTION}/bias"
    return weights | {name: (weights[name] + bias).astype(np.float32)}


def by_share(
    logits: NDArray[np.float64], labels: NDArray[np.int64], prior: NDArray[np.float64]
) -> list[Table]:
    """One confusion matrix for each of ``SHARES``; ``logits`` are ``[N, 8]``, ``labels`` ``[N]``."""
    said = [(logits + towards_rare(prior, share)).argmax(1) for share in SHARES]
    return [metrics.confusion(labels, classes) for classes in said]


def chosen_elsewhere(
    logits: NDArray[np.float64], labels: NDArray[np.int64], prior: NDArray[np.float64]
) -> Table:
    """Of shares that the other half chose, the matrix of each half, over ``ROUNDS`` halvings."""
    rng = np.random.default_rng(0)
    total = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    for _ in range(ROUNDS):
        rows = rng.permutation(len(labels))
        # Every other face of each class.
        rows = rows[np.argsort(labels[rows], kind="stable")]
        first, second = (by_share(logits[h], labels[h], prior) for h in (rows[::2], rows[1::2]))
        total += second[_best(first)] + first[_best(second)]
    return total


def _best(tables: list[Table]) -> int:
    """The one with the most of accuracy, normalised accuracy and macro F1."""
    figures = [metrics.summary(table) for table in tables]
    scores = [f["accuracy"] + f["normalised_accuracy"] + f["macro_f1"] for f in figures]
    return int(np.argmax(scores))


def _row(name: str, tables: Iterable[Table]) -> list[str]:
    """The mean figures of several models, and the least sensitivity of all."""
    figures = np.array([list(metrics.summary(table).values()) for table in tables])
    return [name, *(f"{value:.3f}" for value in (*figures.mean(0), figures[:, -1].min()))]


def compare(dataset: str, models: Path) -> tuple[list[str], list[list[str]]]:
    """A head; and a row for each share and one for shares chosen elsewhere.

    Raises:
        FerEdgeError: no such data set, or a model or a card is missing or not as it should be.
    """
    judged = load(dataset, "validation")
    prior = prior_of(load(dataset, "train").labels)
    tables, elsewhere = [], []
    for card in list_cards(models):
        if card.precision == "float32":
            uncalibrated = card.model_copy(update={"temperature": 1.0})
            said = classify(uncalibrated, read_model(card, models), judged.pictures)
            logits = np.log(np.maximum(said.probabilities, 1e-7)).astype(np.float64)
            logits -= np.array(card.provenance.logit_bias or 0.0)
            tables.append(by_share(logits, judged.labels, prior))
            elsewhere.append(chosen_elsewhere(logits, judged.labels, prior))
    if not tables:
        raise ModelError(f"{models}: no float32 model there; convert one, or name another folder")
    rows = [_row(f"{s:g}", [of[i] for of in tables]) for i, s in enumerate(SHARES)]
    rows.append(_row("chosen on the other half", elsewhere))
    figures = ["accuracy", "normalised accuracy", "macro F1", "least sensitivity"]
    return ["share", *figures, "the least of them"], rows


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.operating_point")
    parser.add_argument(
        "--dataset", required=True, help="KIND:PATH; its validation split is judged"
    )
    parser.add_argument("--models", type=Path, default=models_dir(), help="their float32 files")
    args = parser.parse_args()
    try:
        rows = compare(args.dataset, args.models)
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None
    sys.stdout.write(f"{markdown_table(*rows)}\n")


if __name__ == "__main__":
    main()
