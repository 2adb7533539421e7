"""Rare classes and rare regions of the plane: weights and draws that make up for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_edge.types import EMOTIONS

CLASSES = len(EMOTIONS)


def class_weights(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """A weight for each picture ``[N]``: total / (classes x count of its class), as in the thesis."""
    counts = np.bincount(labels, minlength=CLASSES)
    weights: NDArray[np.float32] = (len(labels) / (CLASSES * counts[labels])).astype(np.float32)
    return weights


def region_weights(plane: NDArray[np.float32], regions: int) -> NDArray[np.float32]:
    """A weight for each picture ``[N]`` by how rare its region of a ``regions`` x ``regions`` grid is.

    ``plane``: true valence and arousal, ``[N, 2]``; unknown ones weigh 1.  The mean weight is 1.
    """
    weights = np.ones(len(plane), np.float32)
    known = np.flatnonzero(~np.isnan(plane).any(1))
    if not known.size:
        return weights
    cells = np.clip(((plane[known] + 1) / 2 * regions).astype(np.int64), 0, regions - 1)
    region = cells[:, 0] * regions + cells[:, 1]
    counts = np.bincount(region)
    weights[known] = len(known) / (np.count_nonzero(counts) * counts[region])
    return weights


def draw(labels: NDArray[np.int64], sampling: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """The rows of one epoch, ``[N]``, shuffled.

    A class of n pictures has a share of n ** (1 - sampling): 0 takes every picture once, 1 every
    class as often (Kang et al., *Decoupling Representation and Classifier*, ICLR 2020).
    """
    if sampling == 0:
        return rng.permutation(len(labels))
    counts = np.bincount(labels, minlength=CLASSES).astype(np.float64)
    chance = counts[labels] ** -sampling
    return rng.choice(len(labels), len(labels), p=chance / chance.sum())
