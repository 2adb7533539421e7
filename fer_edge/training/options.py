"""What a training run is told, on the command line and in its ``config.json``."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass

from fer_edge.modelcard import InputSpec


@dataclass(frozen=True)
class Config:
    """All that decides what comes out; saved as ``config.json``."""

    dataset: str
    out: str
    alpha: float = 0.25
    size: int = 112
    """Side of the square input, pixels."""
    teacher: str = ""
    """Folded weights to distil from; none if empty."""
    init: str = ""
    """Folded weights to start from (strongest channels), or own ``.weights.h5``."""
    epochs: int = 20
    batch: int = 128
    rate: float = 2e-3
    """Peak learning rate of AdamW; one epoch of warm-up, then a cosine to zero."""
    decay: float = 0.02
    """Weight decay of AdamW."""
    dropout: float = 0.2
    share: float = 0.5
    """Share of the teacher's opinion in the labels; the votes have the rest."""
    temperature: float = 1.0
    """Softens the teacher's opinion."""
    tau: float = 0.5
    """Logit adjustment: 0 aims at accuracy, 1 at equal sensitivity of the classes."""
    va_weight: float = 4.0
    """Weight of the squared error of valence and arousal."""
    average: float = 0.998
    """Decay of the averaged weights, a step."""
    threads: int = 2
    """Threads that prepare pictures."""
    seed: int = 1
    limit: int = 0
    """Use only this many pictures of each split; 0 is all."""


def input_spec(size: int) -> InputSpec:
    """Data set crops as they are, luma to [-1, 1]."""
    return InputSpec(height=size, width=size, channels=1, scale=1 / 127.5, offset=-1.0, margin=0.0)


def arguments(argv: list[str] | None = None) -> Config:
    """Read the command line; every field of ``Config`` is an option."""
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.train")
    for field in dataclasses.fields(Config):
        required = field.default is dataclasses.MISSING
        kind = {"str": str, "int": int, "float": float}[str(field.type)]
        default = None if required else field.default
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=kind, default=default, required=required
        )
    return Config(**vars(parser.parse_args(argv)))
