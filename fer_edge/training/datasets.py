"""Data sets as arrays of small pictures with soft labels.

FER+ is Barsoum et al., *Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution*, ICMI 2016 (arXiv:1608.01041): ten people tagged each picture
of the FER2013 challenge (Goodfellow et al. 2013).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError
from fer_edge.types import EMOTIONS, GrayImage

SPLITS = ("train", "validation", "test")

FERPLUS_ORDER = np.array([0, 1, 3, 2, 6, 5, 4, 7])
"""The eight emotions as FER+'s own file orders them; the first of two with as many votes wins."""

LABEL_SOURCE = "FER+: the most frequent of ten taggers' votes (Barsoum et al. 2016)"
VALENCE_AROUSAL_SOURCE = (
    "derived from the FER+ votes by a linear map fitted on AffectNetC25's raters; not annotated, "
    "so without intensity beyond the spread of the votes"
)


@dataclass(frozen=True, eq=False)
class Samples:
    """Pictures and what people said of them; every array has one row for each picture."""

    pictures: NDArray[np.object_]
    """Luma crops, each a ``GrayImage``."""
    soft_labels: NDArray[np.float32]
    """``[N, 8]``, the distribution of votes, in the order of ``Emotion``; rows sum to 1."""
    labels: NDArray[np.int64]
    """``[N]``, the class with most votes; of two with as many, the first in FER+'s own order."""
    valence_arousal: NDArray[np.float32]
    """``[N, 2]`` in [-1, 1]; NaN where unknown."""
    names: NDArray[np.str_]
    """``[N]``, for people."""

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: NDArray[np.generic] | slice) -> Self:
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def load(specification: str, split: str, *, without_duplicates: bool = True) -> Samples:
    """Load one split of a data set named ``KIND:PATH``; the only kind yet is ``ferplus``.

    Raises:
        ConfigError: unknown kind or split, or a file that is not there.
    """
    kind, _, path = specification.partition(":")
    if kind != "ferplus" or not path:
        raise ConfigError(f"data set {specification!r}: unknown kind; write ferplus:PATH")
    if split not in SPLITS:
        raise ConfigError(f"split {split!r}: unknown; choose one of {', '.join(SPLITS)}")
    if not Path(path).is_file():
        raise ConfigError(f"data set {path}: no such file; name the ferplus.npz you hold")
    return _load_ferplus(Path(path), SPLITS.index(split), without_duplicates)


def _load_ferplus(path: Path, split: int, without_duplicates: bool) -> Samples:
    """Read pictures, FER+ votes and the valence and arousal derived from the votes."""
    with np.load(path, allow_pickle=False) as stored:
        chosen = stored["split"] == split
        if without_duplicates and split > 0:
            chosen &= ~stored["duplicate_of_train"]
        votes = stored["votes"]
        chosen &= usable(votes)
        rows = np.flatnonzero(chosen)
        soft = distribution(votes[rows])
        return Samples(
            pictures=_decode(stored["blob"], stored["offsets"], rows),
            soft_labels=soft,
            labels=top(votes[rows]),
            valence_arousal=np.stack([stored["valence"], stored["arousal"]], 1)[rows],
            names=stored["name"][rows],
        )


def usable(votes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Rows ``[N, 10]`` whose most frequent vote is one of the eight emotions."""
    chosen: NDArray[np.bool_] = votes.argmax(1) < len(EMOTIONS)
    return chosen


def top(votes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The emotion with most votes, ``[N]``; ties as everybody's who read FER+'s file in order."""
    labels: NDArray[np.int64] = FERPLUS_ORDER[votes[:, FERPLUS_ORDER].argmax(1)]
    return labels


def distribution(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Soft labels ``[N, 8]``: single votes are dropped as outliers, the rest normalised.

    A row of single votes only keeps them all.
    """
    kept = votes[:, : len(EMOTIONS)].astype(np.float32)
    outliers = np.where(kept > 1, kept, 0)
    kept = np.where(outliers.sum(1, keepdims=True) > 0, outliers, kept)
    soft: NDArray[np.float32] = kept / kept.sum(1, keepdims=True)
    return soft


def _decode(
    blob: NDArray[np.uint8], offsets: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.object_]:
    """Decode WebP pictures ``rows`` out of one block of bytes."""
    import cv2

    pictures = np.empty(len(rows), object)
    for i, row in enumerate(rows):
        encoded = blob[offsets[row] : offsets[row + 1]]
        picture: GrayImage | None = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)  # type: ignore[assignment]
        if picture is None:
            raise ConfigError(f"data set: picture {row} cannot be decoded; fetch the file anew")
        pictures[i] = picture
    return pictures
