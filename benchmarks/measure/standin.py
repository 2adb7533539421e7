"""A model of a width that nobody has trained yet: random weights are as fast as any."""

import atexit
import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path

from fer_edge.modelcard import list_cards, models_dir


def trained() -> list[float]:
    """The widths with an int8 model, the narrowest first."""
    cards = list_cards(models_dir())
    return sorted({card.alpha for card in cards if card.precision == "int8"})


@cache
def directory(alpha: float) -> Path:
    """Where a model of this width lies: those that ship, else one made for this run."""
    if alpha in trained():
        return models_dir()
    from measure.widths import network

    folder = Path(tempfile.mkdtemp(prefix="fer-edge-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pattern = next(card for card in list_cards(models_dir()) if card.precision == "int8")
    content = network(alpha, pattern.input.width, pattern.input.channels)
    name = f"random_{alpha:g}"
    card = pattern.model_copy(
        update={
            "name": name,
            "file": f"{name}.tflite",
            "alpha": alpha,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size_bytes": len(content),
        }
    )
    (folder / card.file).write_bytes(content)
    (folder / f"{name}.json").write_text(card.model_dump_json())
    return folder


def label(alpha: float) -> str:
    """The width, and whether its weights are random."""
    return f"{alpha:g}" if alpha in trained() else f"{alpha:g} (random weights)"
