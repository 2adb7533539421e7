"""Weights averaged over training steps, and the checkpoint to go on from.

Averages generalise better than the last step (Polyak and Juditsky 1992; Izmailov et al. 2018).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

EVERY = 4
"""Steps between two updates: reading the weights costs a little."""


def averages(path: Path) -> list[NDArray[np.float32]]:
    """The averaged weights in what ``save`` left."""
    with np.load(path, allow_pickle=False) as stored:
        return group_of(stored, "average")


def group_of(stored: Any, group: str) -> list[NDArray[Any]]:
    """The arrays of one group, in the order in which they were saved."""
    return [stored[key] for key in sorted(stored.files) if key.startswith(f"{group}/")]


def decay_at(decay: float, steps: int) -> float:
    """What is kept of the averages ``EVERY`` steps later; young ones forget faster."""
    return min(decay**EVERY, (1 + steps) / (40 + steps))


def save_groups(
    path: Path, groups: dict[str, list[NDArray[Any]]], *, epoch: int, best: float, steps: int
) -> None:
    """Write a checkpoint; the file is never half written."""
    state = {"epoch": np.array(epoch), "best": np.array(best), "steps": np.array(steps)}
    for group, arrays in groups.items():
        state |= {f"{group}/{i:04}": array for i, array in enumerate(arrays)}
    partial = path.with_suffix(".part.npz")
    np.savez(partial, **state)  # type: ignore[arg-type]  # its **kwds are typed bool
    partial.rename(path)


class Average(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Keeps an exponential average of all weights, batch statistics included; or, at 0, the last."""

    def __init__(self, model: Any, decay: float) -> None:
        super().__init__()
        self._network = model
        self._decay = decay
        self._steps = 0
        self.weights: list[NDArray[np.float32]] = [np.array(w) for w in model.get_weights()]

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  Keras calls it so
        """Take in the weights of this step."""
        self._steps += 1
        if self._decay and self._steps % EVERY:
            return
        decay = decay_at(self._decay, self._steps)
        pairs = zip(self.weights, self._network.get_weights(), strict=True)
        self.weights = [kept + (1 - decay) * (new - kept) for kept, new in pairs]

    def save(self, path: Path, epoch: int, best: float) -> None:
        """Write weights, averages and the optimizer's state."""
        groups = {
            "model": self._network.get_weights(),
            "average": self.weights,
            "optimizer": [keras.ops.convert_to_numpy(v) for v in self._network.optimizer.variables],
        }
        save_groups(path, groups, epoch=epoch, best=best, steps=self._steps)

    def restore(self, path: Path) -> tuple[int, float]:
        """Set everything as ``save`` left it; return the next epoch and the best score."""
        if not path.is_file():
            return 0, -math.inf
        with np.load(path, allow_pickle=False) as stored:
            self._network.set_weights(group_of(stored, "model"))
            self.weights = group_of(stored, "average")
            for variable, value in zip(
                self._network.optimizer.variables, group_of(stored, "optimizer"), strict=True
            ):
                variable.assign(value)
            self._steps = int(stored["steps"])
            return int(stored["epoch"]), float(stored["best"])
