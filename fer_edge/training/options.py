"""What a training run is told, on the command line and in its ``config.json``.

The defaults are what works best here.  The thesis' own recipe (M. Vadlejch, CTU Prague, 2021) is::

    --size 224 --channels 3 --augment thesis --optimizer adam --rate 1e-3 --rate-decay 0.85
    --epochs 15 --dropout 0.5 --class-weights balanced --tau 0 --va-weight 1 --share 0 --average 0
    --no-even-light
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from fer_edge.errors import ConfigError
from fer_edge.modelcard import InputSpec

LEAST: Final = 32
"""Pixels a side: five layers halve the picture."""
EVEN_MEAN: Final = 128.0
EVEN_DEVIATION: Final = 58.0
"""Grey levels to which ``--even-light`` brings every crop; about those of FER2013."""


@dataclass(frozen=True)
class Config:
    """All that decides what comes out; saved as ``config.json``."""

    dataset: str
    """``KIND:PATH``, as in ``fer_edge.evaluation.datasets``."""
    out: str
    """Folder of the run."""
    alpha: float = 0.25
    network: Literal["mobilenet", "resnet"] = "mobilenet"
    """``resnet`` is a teacher that does not run on the edge; it needs ``--init``, and ``--size 150``."""
    size: int = 112
    """Side of the square input, pixels."""
    channels: Literal[1, 3] = 1
    """1 is luma; 3 is luma repeated."""
    even_light: bool = True
    """Bring every crop to the same mean and deviation, as ``preprocess`` then does on the edge."""
    teacher: str = ""
    """Networks to distil from, separated by commas; each folded weights, the folder of a run (its best
    epoch), ``last.npz`` there (its last) or a float32 ``.tflite`` file.  Of several, the mean opinion
    counts.  None if empty."""
    teacher_sees: Literal["unchanged", "moved", "changed"] = "unchanged"
    """What teachers are asked about: every picture as it is and mirrored, once; as it is moved, each time;
    or as the student sees it, each time."""
    init: str = ""
    """What to start from: any of those, of any width; ``{alpha}`` in the name stands for the width."""
    epochs: int = 20
    batch: int = 128
    small: int = 0
    """Side of the first epochs' pictures, pixels: quicker; 0 for none."""
    small_epochs: int = 0
    """How many epochs have small pictures."""
    optimizer: Literal["adamw", "adam", "rmsprop"] = "adamw"
    rate: float = 2e-3
    """Peak learning rate; one epoch of warm-up, then a cosine to zero."""
    rate_decay: float = 0.0
    """Instead of warm-up and cosine: the factor on the learning rate after every epoch; 0 for none."""
    decay: float = 0.02
    """Weight decay of AdamW."""
    dropout: float = 0.2
    share: float = 0.5
    """Share of the teacher's opinion in the labels; the votes have the rest."""
    temperature: float = 1.0
    """Softens the teacher's opinion."""
    tau: float = 0.5
    """Logit adjustment: 0 aims at accuracy, 1 at equal sensitivity of the classes."""
    class_weights: Literal["none", "balanced"] = "none"
    """``balanced`` weighs a picture by total / (classes x count of its class)."""
    sampling: float = 0.0
    """Draws pictures by their class: 0 each once an epoch, 1 every class as often, else between."""
    va_loss: Literal["mse", "mae", "l2", "cross-entropy"] = "mse"
    """Of valence and arousal; cross-entropy is that of (v + 1) / 2."""
    va_weight: float = 4.0
    """Weight of that loss."""
    va_regions: int = 0
    """Weighs valence and arousal by how rare their region of a grid is, with this number of regions a
    side; 0 for not.  The thesis tried 7."""
    augment: Literal["room", "webcam", "thesis", "none"] = "webcam"
    """Recipe of ``recipes.RECIPES``."""
    change: str = ""
    """Fields of that recipe to change: ``rotation_deg=5,occluded=0``."""
    mixup: float = 0.0
    """Mixes pairs of pictures and labels by shares from Beta(mixup, mixup); 0 for not."""
    average: float = 0.998
    """Decay of the averaged weights, a step; 0 keeps the last ones."""
    bfloat16: bool = False
    """Compute in bfloat16: quicker on a graphics card, and where the processor has instructions for it."""
    seed: int = 1
    limit: int = 0
    """Use only this many pictures of each split; 0 is all."""

    def __post_init__(self) -> None:
        """Refuse what would fail an hour later."""
        if bool(self.small) != bool(self.small_epochs):
            raise ConfigError("--small and --small-epochs: give both, or neither")
        if self.network == "resnet" and (not self.init or self.channels != 1):
            raise ConfigError("--network resnet: needs --init with its weights, and one channel")
        for name, side in (("size", self.size), ("small", self.small or LEAST)):
            if side < LEAST:
                raise ConfigError(f"--{name} {side}: the network needs at least {LEAST} pixels")


def input_spec(size: int, channels: Literal[1, 3] = 1, *, even: bool = False) -> InputSpec:
    """Data set crops as they are or evenly lit, luma to [-1, 1]."""
    light = {"mean": EVEN_MEAN, "deviation": EVEN_DEVIATION} if even else {}
    return InputSpec(
        height=size,
        width=size,
        channels=channels,
        scale=1 / 127.5,
        offset=-1.0,
        margin=0.0,
        **light,
    )


def size_of(name: str, otherwise: int) -> int:
    """The side of the pictures that the run ``name`` was trained with; ``otherwise`` if it is no run."""
    run = run_of(Path(name))
    return load_config(run).size if run else otherwise


def run_of(path: Path) -> Path | None:
    """The folder of the run whose weights ``path`` names, itself or by its ``last.npz``; None if no run."""
    if path.name == "last.npz" and path.is_file():
        return path.parent
    return path if path.is_dir() else None


def load_config(run: Path) -> Config:
    """The configuration of a run's folder.

    Raises:
        ConfigError: there is none, or it has fields that are not known.
    """
    path = run / "config.json"
    try:
        return Config(**json.loads(path.read_text()))
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"{path}: {why}; name the folder that a training run wrote") from None
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}; train anew, or remove the field") from None


def arguments(argv: list[str] | None = None) -> list[Config]:
    """Read the command line; every field of ``Config`` is an option."""
    made = parser("train")
    made.add_argument("--alphas", default="", help="several widths, by commas: trained together")
    given = vars(made.parse_args(argv))
    alphas = given.pop("alphas")
    base = Config(**given)
    if not alphas:
        return [base]
    return [
        dataclasses.replace(
            base,
            alpha=alpha,
            out=f"{base.out}{alpha:g}",
            init=base.init.replace("{alpha}", f"{alpha:g}"),
        )
        for alpha in numbers(made, alphas)
    ]


def parser(module: str, *, given: tuple[str, ...] = ()) -> argparse.ArgumentParser:
    """A parser with an option for every field of ``Config`` but those that are ``given``."""
    made = argparse.ArgumentParser(prog=f"python -m fer_edge.training.{module}")
    hints = get_type_hints(Config)
    for field in dataclasses.fields(Config):
        if field.name in given:
            continue
        name = f"--{field.name.replace('_', '-')}"
        if hints[field.name] is bool:
            made.add_argument(name, action=argparse.BooleanOptionalAction, default=field.default)
        else:
            made.add_argument(name, **_takes(hints[field.name], field))
    return made


def names_of(words: str) -> list[str]:
    """The files and runs of ``--teacher``, which separates them by commas."""
    return [name for name in words.split(",") if name]


def numbers(made: argparse.ArgumentParser, words: str) -> list[float]:
    """The numbers of ``--alphas``; others end the program."""
    try:
        return [float(word) for word in words.split(",")]
    except ValueError:
        made.error(f"--alphas {words}: write numbers, separated by commas")


def _takes(hint: type | types.GenericAlias, field: dataclasses.Field[Any]) -> dict[str, Any]:
    """What argparse must know of a field."""
    if field.default is dataclasses.MISSING:
        return {"type": hint, "required": True}
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        return {"type": type(choices[0]), "choices": choices, "default": field.default}
    return {"type": hint, "default": field.default}
