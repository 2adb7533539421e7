"""From ``KIND:PATH`` to samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from fer_edge.errors import ConfigError
from fer_edge.evaluation.datasets._affectnet import load_affectnet
from fer_edge.evaluation.datasets._ferplus import load_ferplus
from fer_edge.evaluation.datasets._folder import load_folder
from fer_edge.evaluation.datasets._samples import Samples

SPLITS: Final = ("train", "validation", "test", "all")

READERS: Final[dict[str, Callable[[Path, str], Samples]]] = {
    "ferplus": load_ferplus,
    "affectnet": load_affectnet,
    "affectnet-thesis": partial(load_affectnet, thesis=True),
    "folder": load_folder,
}


def load(specification: str, split: str) -> Samples:
    """Load one split of a data set named ``KIND:PATH``; ``all`` is for folders only.

    ``FILE.csv`` alone means ``folder:FILE.csv``.

    Raises:
        ConfigError: unknown kind or split, or files that are missing or say something else than
            they should.
    """
    kind, _, path = specification.partition(":")
    if kind not in READERS and specification.endswith(".csv"):
        kind, path = "folder", specification
    if kind not in READERS or not path:
        choice = ", ".join(f"{known}:PATH" for known in READERS)
        raise ConfigError(f"data set {specification!r}: unknown kind; write one of {choice}")
    if split not in SPLITS:
        raise ConfigError(f"split {split!r}: unknown; choose one of {', '.join(SPLITS)}")
    if split == "all" and kind != "folder":
        raise ConfigError(
            f"split 'all': {kind} would mix training pictures in; choose test or validation"
        )
    return READERS[kind](Path(path), split)
