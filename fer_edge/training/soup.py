"""Weights between two networks: ``python -m fer_edge.training.soup FIRST SECOND --dataset … --out FILE.npz``.

What fine-tuning gained for some classes and lost for others often adds up half way (Wortsman et al.,
*Robust fine-tuning of zero-shot models*, CVPR 2022, arXiv:2109.01903).  Both must have one origin and
one width.  Every share of the second is measured on the validation split; the one with the most of accuracy
and macro F1 is written as folded weights for ``--init`` and ``--teacher``.  ``…convert --start-share``
does the same with a run and what it started from.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.evaluation import metrics
from fer_edge.evaluation.datasets import load
from fer_edge.preprocess import to_tensor
from fer_edge.training.network import Weights, forward_folded, tensors
from fer_edge.training.options import input_spec
from fer_edge.training.weights import load_weights, save_arrays

log = logging.getLogger(__name__)


def between(first: Weights, second: Weights, share: float) -> Weights:
    """``share`` of the second network and the rest of the first; a head that one lacks is the other's.

    Raises:
        ConfigError: networks of different widths, or for different pictures.
    """
    for name in first.keys() & second.keys():
        if first[name].shape != second[name].shape:
            raise ConfigError(
                f"{name}: {first[name].shape} and {second[name].shape}; name two networks of one α"
            )
    mixed = {k: first[k] + share * (second[k] - first[k]) for k in first.keys() & second.keys()}
    return first | second | mixed


def main() -> None:
    """Read the command line, measure, and write the best."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.soup")
    parser.add_argument("first", help="folded weights or the folder of a run")
    parser.add_argument("second", help="the same")
    parser.add_argument("--dataset", required=True, help="KIND:PATH; its validation split decides")
    parser.add_argument("--shares", type=_shares, default=[0, 0.25, 0.5, 0.75, 1], help="by commas")
    parser.add_argument("--size", type=int, default=112, help="side of the pictures, pixels")
    parser.add_argument(
        "--even-light", action=argparse.BooleanOptionalAction, default=True, help="as in …train"
    )
    parser.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    args = parser.parse_args()
    try:
        _write_best(args)
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None


def _shares(words: str) -> list[float]:
    return [float(word) for word in words.split(",")]


@torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
def _write_best(args: argparse.Namespace) -> None:
    first, second = load_weights(args.first), load_weights(args.second)
    judged = load(args.dataset, "validation")
    spec = input_spec(args.size, even=args.even_light)
    pictures = torch.tensor(to_tensor(list(judged.pictures), spec))
    best = 0.0
    for share in args.shares:
        mixed = between(first, second, share)
        state = tensors(mixed)
        classes = [forward_folded(state, chunk)[0].argmax(1) for chunk in pictures.split(64)]
        figures = metrics.summary(metrics.confusion(judged.labels, torch.cat(classes).numpy()))
        log.info(
            "%g: accuracy %.3f, normalised accuracy %.3f, macro F1 %.3f, least found %.2f",
            share,
            *figures.values(),
        )
        score = figures["accuracy"] + figures["macro_f1"]
        if score > best:
            best = score
            args.out.parent.mkdir(parents=True, exist_ok=True)
            save_arrays(args.out, mixed)


if __name__ == "__main__":
    main()
