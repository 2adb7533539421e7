"""Learning the heads anew from a few hundred faces, held to the old heads.

The least mean loss plus ``strength`` / 2 times the squared change (L2 towards the old head, as in
Li et al., *Explicit Inductive Bias for Transfer Learning with Convolutional Networks*, ICML 2018,
arXiv:1802.01483).  Both losses are smooth in some thousand numbers, so L-BFGS finds the least in seconds.
How strong is chosen by cross-validation, with all faces of one part (a person, or a file) in one fold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from fer_edge.evaluation.calibrate import fit_temperature
from fer_edge.training.heads import Head, Heads, Matrix

STRENGTHS: Final = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 1.0, math.inf)
"""That are tried; the last leaves the head as it is."""
FOLDS: Final = 5

Parts = NDArray[np.int64]
"""``[N]``: faces with the same number are never learned from and judged by at once."""
Loss = Callable[[Any, Any], Any]
"""Of what a head puts out and what is right, each ``[N, values]``: ``[N]``."""


@dataclass(frozen=True, eq=False)
class Faces:
    """What is learned from."""

    features: Matrix
    """``[N, channels]``, what the heads take."""
    votes: NDArray[np.float32]
    """``[N, 8]``, rows sum to 1."""
    labels: NDArray[np.int64]
    """``[N]``, the class that counts as right."""
    plane: NDArray[np.float32]
    """``[N, 2]``, valence and arousal; NaN where unknown."""
    parts: Parts


@dataclass(frozen=True, eq=False)
class Adapted:
    """What was learned."""

    heads: Heads
    temperature: float
    """Fitted on faces that their fold's head was not learned from."""
    strengths: dict[str, float]
    """What cross-validation chose, by head; a head that stays as it is has infinity."""


@contextmanager
def _one_thread() -> Iterator[None]:
    """Matrices of this size are done before other threads have woken."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
def adapt(old: Heads, faces: Faces, *, temperature: float, seed: int) -> Adapted:
    """Learn both heads; ``temperature`` is the old model's.

    Valence and arousal stay as they are where fewer than two folds have them.
    """
    known = ~np.isnan(faces.plane).any(1)
    folds = folds_of(faces.parts, seed)
    emotion, emotion_strength, apart = _chosen(
        old.emotion, faces.features, faces.votes, _cross_entropy(temperature), folds
    )
    plane, plane_strength = old.valence_arousal, math.inf
    if len(np.unique(folds[known])) > 1:
        plane, plane_strength, _ = _chosen(
            plane, faces.features[known], faces.plane[known], _squares, folds[known]
        )
    said = torch.softmax(torch.from_numpy(apart), 1).numpy().astype(np.float32)
    return Adapted(
        Heads(emotion, plane),
        fit_temperature(said, faces.labels),
        {"emotion": emotion_strength, "valence_arousal": plane_strength},
    )


def learn(
    old: Head, features: Matrix, right: NDArray[np.float32], strength: float, loss: Loss
) -> Head:
    """The head with the least loss on ``features`` ``[N, channels]``, held to the ``old`` one."""
    if math.isinf(strength):
        return old
    centre = features.mean(0)
    # So that the mean squared length of a row is 1, as that of the bias's input.
    scale = math.sqrt(max(float(((features - centre) ** 2).sum(1).mean()), 1e-12))
    rows = torch.from_numpy(np.c_[(features - centre) / scale, np.ones(len(features))])
    before, wanted = torch.from_numpy(old(features)), torch.from_numpy(right.astype(np.float64))
    change = torch.zeros(rows.shape[1], before.shape[1], dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [change], max_iter=100, tolerance_change=1e-8, line_search_fn="strong_wolfe"
    )

    def cost() -> Any:
        search.zero_grad()
        mean = loss(before + rows @ change, wanted).mean()
        value = mean + strength / 2 * (change**2).sum()
        value.backward()
        return value

    search.step(cost)
    found = change.detach().numpy()
    kernel = found[:-1] / scale
    return Head(old.kernel + kernel, old.bias + found[-1] - centre @ kernel)


def folds_of(parts: Parts, seed: int) -> NDArray[np.int64]:
    """The fold of each face, ``[N]``: 0 to ``FOLDS`` - 1, the same for all of a part."""
    names, position = np.unique(parts, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names)) % FOLDS
    folds: NDArray[np.int64] = order[position]
    return folds


def _chosen(
    old: Head,
    features: Matrix,
    right: NDArray[np.float32],
    loss: Loss,
    folds: NDArray[np.int64],
) -> tuple[Head, float, Matrix]:
    """The head, its strength, and what each fold's head puts out for the faces it has not seen."""
    wanted = torch.from_numpy(right.astype(np.float64))
    costs, outputs = [], []
    for strength in STRENGTHS:
        said = np.empty((len(features), right.shape[1]))
        for fold in np.unique(folds):
            rest, judged = folds != fold, folds == fold
            head = learn(old, features[rest], right[rest], strength, loss)
            said[judged] = head(features[judged])
        costs.append(float(loss(torch.from_numpy(said), wanted).mean()))
        outputs.append(said)
    best = int(np.argmin(costs))
    return learn(old, features, right, STRENGTHS[best], loss), STRENGTHS[best], outputs[best]


def _cross_entropy(temperature: float) -> Loss:
    def loss(logits: Any, votes: Any) -> Any:
        return -(votes * torch.log_softmax(logits / temperature, 1)).sum(1)

    return loss


def _squares(outputs: Any, plane: Any) -> Any:
    return ((torch.tanh(outputs) - plane) ** 2).sum(1)
