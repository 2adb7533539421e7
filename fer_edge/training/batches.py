"""Augmented batches for one epoch, made in threads beside the training step."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from fer_edge.evaluation.datasets import Samples
from fer_edge.modelcard import InputSpec
from fer_edge.training.augment import Recipe, augment
from fer_edge.training.network import EMOTION, VALENCE_AROUSAL
from fer_edge.training.options import Config

Batch = tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]


@dataclass(frozen=True, eq=False)
class Targets:
    """What the network is to say, for each picture and its mirror image."""

    emotion: NDArray[np.float32]
    """``[2, N, 8]``; 0 is the picture, 1 its mirror image."""
    valence_arousal: NDArray[np.float32]
    """``[N, 2]``."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """One epoch: every picture once, shuffled; the same for the same seed and epoch."""

    def __init__(
        self, samples: Samples, targets: Targets, spec: InputSpec, config: Config, epoch: int
    ) -> None:
        super().__init__(workers=config.threads, use_multiprocessing=False, max_queue_size=16)
        self._samples = samples
        self._targets = targets
        self._spec = spec
        self._recipe = Recipe()
        self._batch = config.batch
        self._seed = (config.seed, epoch)
        self._order = np.random.default_rng(self._seed).permutation(len(samples))

    def __len__(self) -> int:
        """Whole batches only: a small last one would upset batch normalisation."""
        return max(1, len(self._order) // self._batch)

    def __getitem__(self, index: int) -> Batch:
        rows = self._order[index * self._batch : (index + 1) * self._batch]
        rng = np.random.default_rng((*self._seed, index))
        flips = rng.integers(0, 2, len(rows))
        spec = self._spec
        tensor = np.empty((len(rows), spec.height, spec.width, spec.channels), np.float32)
        for out, row, flip in zip(tensor, rows, flips, strict=True):
            picture = self._samples.pictures[row]
            out[:] = augment(picture, spec.height, bool(flip), rng, self._recipe)[..., None]
        tensor *= np.float32(spec.scale)
        tensor += np.float32(spec.offset)
        return tensor, {
            EMOTION: self._targets.emotion[flips, rows],
            VALENCE_AROUSAL: self._targets.valence_arousal[rows],
        }
