"""Train several widths, the widest teacher first: ``python -m fer_edge.training.widths --dataset …``.

It takes the options of ``…train``; ``--init`` and ``--teacher`` are those of α = 1.0, from which every
other width starts and by which it is taught.  ``--epochs`` are those of α = 1.0 too, narrower networks
get more: they learn longer before they overfit, and an epoch costs less.  Each width has a folder of
its own below ``--out``.  Run again, it goes on where it stopped, and passes over what is done.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.training.options import Config, numbers, parser
from fer_edge.training.train import run

log = logging.getLogger(__name__)

EPOCHS: Final = {1.0: 1.0, 1.4: 0.8, 0.75: 1.25, 0.5: 1.5, 0.35: 1.75, 0.25: 2.0}
"""Epochs of each width, in those of α = 1.0, in the order of training."""

TAUGHT_SHARE: Final = 0.5
"""Share of the teacher's opinion in the labels of all widths but the teacher's own."""


def plan(base: Config, alphas: list[float]) -> list[Config]:
    """A configuration for each width, α = 1.0 first.

    Raises:
        ConfigError: a width that is none of the six.
    """
    unknown = set(alphas) - set(EPOCHS)
    if unknown:
        raise ConfigError(
            f"--alphas {min(unknown):g}: choose of {', '.join(f'{a:g}' for a in sorted(EPOCHS))}"
        )
    first = dataclasses.replace(base, alpha=1.0, out=str(Path(base.out) / "1"))
    return [
        first
        if alpha == first.alpha
        else dataclasses.replace(
            base,
            alpha=alpha,
            out=str(Path(base.out) / f"{alpha:g}"),
            epochs=round(base.epochs * factor),
            small_epochs=round(base.small_epochs * factor),
            teacher=first.out,
            init=first.out,
            share=TAUGHT_SHARE,
        )
        for alpha, factor in EPOCHS.items()
        if alpha in alphas
    ]


def is_done(config: Config) -> bool:
    """Whether a run has all its epochs behind it."""
    path = Path(config.out) / "last.npz"
    if not path.is_file():
        return False
    with np.load(path, allow_pickle=False) as stored:
        return int(stored["epoch"]) >= config.epochs


def train_all(configs: Mapping[str, Config]) -> None:
    """Train what is not done yet; the names are for the log."""
    for name, config in configs.items():
        if is_done(config):
            log.info("%s is done: %s", name, config.out)
        else:
            log.info("%s: %s", name, config.out)
            run(config)


def arguments(argv: list[str] | None = None) -> list[Config]:
    """Read the command line."""
    made = parser("widths", given=("alpha",))
    made.add_argument("--alphas", default=",".join(f"{a:g}" for a in EPOCHS), help="by commas")
    given = vars(made.parse_args(argv))
    alphas = numbers(made, given.pop("alphas"))
    return plan(Config(**given), alphas)


def main() -> None:
    """Read the command line and train what is not done yet."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        train_all({f"α = {config.alpha:g}": config for config in arguments()})
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
