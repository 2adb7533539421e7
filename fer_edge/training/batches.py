"""Augmented batches for one epoch, made in threads beside the training step."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from fer_edge.evaluation.datasets import Samples
from fer_edge.modelcard import InputSpec
from fer_edge.training.augment import augment, recipe_of
from fer_edge.training.balance import draw
from fer_edge.training.network import EMOTION, VALENCE_AROUSAL
from fer_edge.training.options import Config

Arrays = dict[str, NDArray[np.float32]]
Batch = tuple[NDArray[np.float32], Arrays, Arrays]
"""Pictures, targets and weights, the last two by the name of the output."""


@dataclass(frozen=True, eq=False)
class Targets:
    """What the network is to say, for each picture and its mirror image, and what it weighs."""

    emotion: NDArray[np.float32]
    """``[2, N, 8]``; 0 is the picture, 1 its mirror image."""
    valence_arousal: NDArray[np.float32]
    """``[N, 2]``."""
    emotion_weight: NDArray[np.float32]
    """``[N]``."""
    valence_arousal_weight: NDArray[np.float32]
    """``[N]``."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """One epoch of pictures, shuffled; the same for the same seed and epoch."""

    def __init__(
        self, samples: Samples, targets: Targets, spec: InputSpec, config: Config, epoch: int
    ) -> None:
        super().__init__(
            workers=config.threads, use_multiprocessing=config.processes, max_queue_size=16
        )
        self._pictures = samples.pictures
        self._targets = targets
        self._spec = spec
        self._recipe = recipe_of(config.augment, config.change)
        self._mixup = config.mixup
        self._batch = config.batch
        self._seed = (config.seed, epoch)
        rng = np.random.default_rng(self._seed)
        self._order = draw(samples.labels, config.sampling, rng)

    def __len__(self) -> int:
        """Whole batches only: a small last one would upset batch normalisation."""
        return max(1, len(self._order) // self._batch)

    def __getitem__(self, index: int) -> Batch:
        rows = self._order[index * self._batch : (index + 1) * self._batch]
        rng = np.random.default_rng((*self._seed, index))
        flips = (rng.random(len(rows)) < self._recipe.flip).astype(np.int64)
        spec, targets = self._spec, self._targets
        tensor = np.empty((len(rows), spec.height, spec.width, spec.channels), np.float32)
        for out, row, flip in zip(tensor, rows, flips, strict=True):
            picture = self._pictures[row]
            out[:] = augment(picture, spec.height, bool(flip), rng, self._recipe)[..., None]
        tensor *= np.float32(spec.scale)
        tensor += np.float32(spec.offset)
        said = {
            EMOTION: targets.emotion[flips, rows],
            VALENCE_AROUSAL: targets.valence_arousal[rows],
        }
        weights = {
            EMOTION: targets.emotion_weight[rows],
            VALENCE_AROUSAL: targets.valence_arousal_weight[rows],
        }
        if self._mixup:
            share = rng.beta(self._mixup, self._mixup, len(rows)).astype(np.float32)
            tensor = mixed(tensor, share)
            said = {name: mixed(values, share) for name, values in said.items()}
            weights = {name: mixed(values, share) for name, values in weights.items()}
        return tensor, said, weights


def mixed(values: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """``share`` of each row ``[N, …]`` and the rest of its predecessor.

    Zhang et al., *mixup: Beyond Empirical Risk Minimization*, ICLR 2018 (arXiv:1710.09412).  A row
    mixed with one that is unknown (NaN) is unknown.
    """
    share = share.reshape(-1, *(1,) * (values.ndim - 1))
    pairs: NDArray[np.float32] = share * values + (1 - share) * np.roll(values, 1, axis=0)
    return pairs
