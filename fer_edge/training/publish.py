"""What is said of the models, from their cards: ``python -m fer_edge.training.publish``, in a checkout.

Writes the tables in ``README.md`` and ``models/README.md``, each between ``<!-- table NAME -->`` and
``<!-- end of table -->``, and ``golden.json``, the least figures that a change may leave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.evaluation.tables import markdown_table
from fer_edge.modelcard import GOLDEN, AxisFigures, ModelCard, list_cards, models_dir
from fer_edge.types import EMOTIONS

SLACK: Final = {"accuracy": 0.005, "normalised_accuracy": 0.006, "macro_f1": 0.005}
"""How far below its card a figure may fall: another processor's kernels turn a face or two."""

_WIDE = (0.86, 0.74, 0.71)
TARGETS: Final = {0.25: (0.84, 0.72, 0.69)} | dict.fromkeys((0.5, 0.75, 1.0, 1.4), _WIDE)
"""What this project wants of its int8 files on the FER+ test split, by α: the figures of ``SLACK``."""
LEAST: Final = 0.50
"""The sensitivity that it wants of every class at every width."""

TIMES: Final = {0.25: 1.0, 0.35: 1.2, 0.5: 1.3, 0.75: 1.9, 1.0: 2.2, 1.4: 3.6}
"""Time of the int8 network by α, against that of the narrowest: docs/benchmarks.md, "The network alone"."""

Cards = list[ModelCard]
Rows = list[list[str]]


def _name(card: ModelCard) -> str:
    return f"α = {card.alpha:g} {card.precision}"


def _share(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".removeprefix("0")


def _overview(cards: Cards) -> Rows:
    rows = [["α", "file", "accuracy", "macro F1", "valence, arousal CCC", "time of the network"]]
    for card in cards:
        if card.precision == "int8":
            figures = card.metrics
            shares = figures.accuracy, figures.macro_f1
            axes = ", ".join(
                f"{_axis(axis).ccc:.2f}" for axis in (figures.valence, figures.arousal)
            )
            size = f"{card.size_bytes / 1e6:.1f} MB"
            time = f"{TIMES[card.alpha]:g} ×" if card.alpha in TIMES else "–"
            cells = *(f"{value:.3f}" for value in shares), axes, time
            rows.append([f"{card.alpha:g}", size, *cells])
    return rows


def _figures(cards: Cards) -> Rows:
    rows = [
        [
            "model",
            "size",
            "accuracy",
            "normalised accuracy",
            "macro F1",
            "normalised F1",
            "calibration error",
        ]
    ]
    for card in cards:
        shares = [
            f"{_share(getattr(card.metrics, name))} ({'–'.join(map(_share, card.metrics.intervals[name]))})"
            for name in SLACK
        ]
        rest = card.metrics.normalised_f1, card.metrics.calibration_error
        size = f"{card.size_bytes / 1e6:.2f} MB"
        rows.append([_name(card), size, *shares, *map(_share, rest)])
    return rows


def _sensitivity(cards: Cards) -> Rows:
    rows = [["", *EMOTIONS]]
    for card in cards:
        found = card.metrics.sensitivity
        rows.append([_name(card), *(_share(found[e], 2) for e in EMOTIONS)])
    return rows


def _plane(cards: Cards) -> Rows:
    rows = [["", "RMSE", "normalised RMSE", "SAGR", "CCC"]]
    for card in cards:
        for name in ("valence", "arousal"):
            axis = _axis(getattr(card.metrics, name))
            figures = axis.rmse, axis.normalised_rmse, axis.sagr, axis.ccc
            rows.append([f"{name}, {_name(card)}", *map(_share, figures)])
    return rows


def _targets(cards: Cards) -> Rows:
    rows = [["int8", "accuracy", "normalised accuracy", "macro F1", "least sensitivity"]]
    for card in cards:
        if card.precision != "int8":
            continue
        figures = [getattr(card.metrics, name) for name in SLACK]
        wanted = TARGETS.get(card.alpha, (None,) * len(figures))
        least, emotion = min((card.metrics.sensitivity[e], e) for e in EMOTIONS)
        cells = [*map(_against, figures, wanted), f"{_against(least, LEAST)} ({emotion})"]
        rows.append([f"α = {card.alpha:g}", *cells])
    return rows


def _against(value: float, wanted: float | None) -> str:
    """A figure and, if there is one, its target: reached or not."""
    if wanted is None:
        return _share(value)
    return f"{_share(value)} {'≥' if value >= wanted else '**<**'} {_share(wanted, 2)}"


def _validation(cards: Cards) -> Rows:
    head = ["", "accuracy", "normalised accuracy", "macro F1"]
    return [
        head,
        *([_name(c), *(_share(c.provenance.validation[name]) for name in SLACK)] for c in cards),
    ]


TABLES: Final[dict[str, Callable[[Cards], Rows]]] = {
    "overview": _overview,
    "figures": _figures,
    "sensitivity": _sensitivity,
    "targets": _targets,
    "plane": _plane,
    "validation": _validation,
}


def _axis(figures: AxisFigures | None) -> AxisFigures:
    if figures is None:
        raise ConfigError("a card without figures of valence and arousal; convert with FER+")
    return figures


def written(text: str, cards: Cards) -> str:
    """Return ``text`` with every table as the cards have it.

    Raises:
        ConfigError: a table that nobody knows.
    """

    def table(found: re.Match[str]) -> str:
        if found["name"] not in TABLES:
            known = ", ".join(TABLES)
            raise ConfigError(f"<!-- table {found['name']} -->: no such table; choose of {known}")
        head, *rows = TABLES[found["name"]](cards)
        return f"{found[1]}{markdown_table(head, rows)}\n{found[4]}"

    pattern = r"(<!-- table (?P<name>\w+) -->\n)(.*?)(<!-- end of table -->)"
    return re.sub(pattern, table, text, flags=re.DOTALL)


def floors(cards: Cards) -> dict[str, dict[str, float]]:
    """The least figures that a change may leave, by model."""
    return {
        card.name: {
            name: round(getattr(card.metrics, name) - slack, 3) for name, slack in SLACK.items()
        }
        for card in cards
    }


def main() -> None:
    """Write all of them."""
    root = models_dir().parent
    try:
        cards = list_cards(models_dir())
        for path in (root / "README.md", root / "models" / "README.md"):
            path.write_text(written(path.read_text(), cards))
        golden = root / "models" / GOLDEN
        golden.write_text(json.dumps(floors(cards), indent=2) + "\n")
    except (FerEdgeError, OSError) as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
