"""What each ingredient brings: ``python -m fer_edge.training.ingredients --dataset … --init … --teacher …``.

It takes the options of ``…train``, which make the first row; every other row changes one thing.  Each
has a folder of its own below ``--out``.  Run again, it goes on where it stopped.  In the end it prints a
table of what the last epochs' averaged weights reach on the validation split.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_edge.errors import FerEdgeError
from fer_edge.evaluation.tables import markdown_table
from fer_edge.training.options import Config, parser
from fer_edge.training.train import train
from fer_edge.training.weights import LAST

log = logging.getLogger(__name__)

CHANGES: Final[dict[str, dict[str, Any]]] = {
    "all of it": {},
    "random weights for a start": {"init": ""},
    "votes alone, no teacher": {"teacher": ""},
    "the teacher asked about each picture as it is changed": {"teacher_sees": "changed"},
    "light as it is in each picture": {"even_light": False},
    "no augmentation": {"augment": "none"},
    "the thesis' augmentation": {"augment": "thesis"},
    "last weights instead of averaged ones": {"average": 0.0},
    "with mixup 0.2": {"mixup": 0.2},
    "no logit adjustment (τ = 0)": {"tau": 0.0},
    "balanced class weights instead of τ": {"tau": 0.0, "class_weights": "balanced"},
    "rare classes drawn oftener (0.5) instead of τ": {"tau": 0.0, "sampling": 0.5},
    "Adam, rate falling by .85 an epoch": {"optimizer": "adam", "rate": 1e-3, "rate_decay": 0.85},
    "the first half of the epochs at 48 px": {"small": 48},
    "the thesis' own recipe (random weights)": {
        "init": "",
        "teacher": "",
        "share": 0.0,
        "augment": "thesis",
        "optimizer": "adam",
        "rate": 1e-3,
        "rate_decay": 0.85,
        "dropout": 0.5,
        "class_weights": "balanced",
        "tau": 0.0,
        "va_weight": 1.0,
        "average": 0.0,
        "even_light": False,
    },
}
"""What each row changes; the first is the recipe as it is."""

FIGURES: Final = {
    "accuracy": "accuracy",
    "normalised_accuracy": "normalised accuracy",
    "macro_f1": "macro F1",
}
"""What the table shows, and what it calls it."""


def plan(base: Config, other_init: str = "") -> dict[str, Config]:
    """A configuration for every row, by its name.

    ``other_init``: weights for one row more, which starts from them instead.
    """
    changes = dict(CHANGES)
    if other_init:
        changes[f"started from `{Path(other_init).name}` instead"] = {"init": other_init}
    made = {}
    for number, (name, change) in enumerate(changes.items()):
        config = dataclasses.replace(base, out=str(Path(base.out) / f"{number:02d}"))
        small_epochs = -(-base.epochs // 2) if "small" in change else base.small_epochs
        made[name] = dataclasses.replace(config, small_epochs=small_epochs, **change)
    return made


def is_done(config: Config) -> bool:
    """Whether a run has all its epochs behind it."""
    path = Path(config.out) / LAST
    if not path.is_file():
        return False
    with np.load(path, allow_pickle=False) as stored:
        return int(stored["epoch"]) >= config.epochs


def table(rows: dict[str, Config]) -> str:
    """The last epochs' figures of all runs, as Markdown."""
    cells = []
    for name, config in rows.items():
        *_, last = (Path(config.out) / "log.jsonl").read_text().splitlines()
        figures = json.loads(last)
        cells.append([name, *(f"{figures[key]:.3f}".removeprefix("0") for key in FIGURES)])
    return markdown_table(["", *FIGURES.values()], cells)


def main(argv: list[str] | None = None) -> None:
    """Read the command line, train what is not done yet, and print the table."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    made = parser("ingredients")
    made.add_argument("--other-init", default="", help="for a row that starts from these weights")
    given = vars(made.parse_args(argv))
    other_init = given.pop("other_init")
    try:
        rows = plan(Config(**given), other_init)
        for name, config in rows.items():
            if is_done(config):
                log.info("%s is done: %s", name, config.out)
            else:
                log.info("%s: %s", name, config.out)
                train([config])
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None
    sys.stdout.write(f"{table(rows)}\n")


if __name__ == "__main__":
    main()
