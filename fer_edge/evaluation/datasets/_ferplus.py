"""FER2013 with FER+ votes.

Barsoum et al., *Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution*, ICMI 2016 (arXiv:1608.01041): ten people tagged each picture
of the FER2013 challenge (Goodfellow et al. 2013).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError
from fer_edge.evaluation.datasets._samples import Origin, Pictures, Samples
from fer_edge.modelcard import DataSource
from fer_edge.types import EMOTIONS, GrayImage

NUMBERS = {"train": 0, "validation": 1, "test": 2}
"""Numbers of the splits in the file."""

FERPLUS_ORDER = np.array([0, 1, 3, 2, 6, 5, 4, 7])
"""The eight emotions as FER+'s own file orders them; the first of two with as many votes wins."""

LABEL_SOURCE = "FER+: the most frequent of ten taggers' votes (Barsoum et al. 2016)"
VALENCE_AROUSAL_SOURCE = (
    "derived from the FER+ votes by a linear map fitted on AffectNetC25's raters; not annotated, "
    "so without intensity beyond the spread of the votes"
)

DATA = (
    DataSource(
        name="FER2013 pictures (Goodfellow et al. 2013)",
        licence="research terms of the ICML 2013 challenge",
        use="training split: weights; validation split: choice and calibration",
    ),
    DataSource(
        name="Microsoft FER+ votes (Barsoum et al. 2016)", licence="MIT", use="emotion labels"
    ),
    DataSource(
        name="AffectNetC25 labels (no pictures)",
        licence="labels only",
        use="linear map from votes to valence and arousal",
    ),
)


def load_ferplus(path: Path, split: str) -> Samples:
    """Read pictures, FER+ votes and the valence and arousal derived from the votes.

    Pictures of validation and test that are in the training split too are left out.

    Raises:
        ConfigError: no such file, or a picture in it is damaged.
    """
    if not path.is_file():
        raise ConfigError(f"data set {path}: no such file; name the ferplus.npz you hold")
    with np.load(path, allow_pickle=False) as stored:
        chosen = stored["split"] == NUMBERS[split]
        if split != "train":
            chosen &= ~stored["duplicate_of_train"]
        votes = stored["votes"]
        chosen &= usable_rows(votes)
        rows = np.flatnonzero(chosen)
        soft = soft_labels(votes[rows])
        return Samples(
            pictures=Pictures(_decode(stored["blob"], stored["offsets"], rows)),
            soft_labels=soft,
            labels=majority_labels(votes[rows]),
            valence_arousal=np.stack([stored["valence"], stored["arousal"]], 1)[rows],
            names=stored["name"][rows],
            origin=Origin(
                dataset="FER2013 pictures with FER+ votes",
                split=f"{split}, without pictures that are in the training split too",
                label_source=LABEL_SOURCE,
                valence_arousal_source=VALENCE_AROUSAL_SOURCE,
                data=DATA,
            ),
        )


def usable_rows(votes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Rows ``[N, 10]`` whose most frequent vote is one of the eight emotions."""
    chosen: NDArray[np.bool_] = votes.argmax(1) < len(EMOTIONS)
    return chosen


def majority_labels(votes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The emotion with most votes, ``[N]``; a tie goes to the first in FER+'s order of columns."""
    labels: NDArray[np.int64] = FERPLUS_ORDER[votes[:, FERPLUS_ORDER].argmax(1)]
    return labels


def soft_labels(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Soft labels ``[N, 8]``: single votes are dropped as outliers, the rest normalised.

    A row of single votes only keeps them all.
    """
    counts = votes[:, : len(EMOTIONS)].astype(np.float32)
    agreed = np.where(counts > 1, counts, 0)
    counts = np.where(agreed.sum(1, keepdims=True) > 0, agreed, counts)
    soft: NDArray[np.float32] = counts / counts.sum(1, keepdims=True)
    return soft


def _decode(
    blob: NDArray[np.uint8], offsets: NDArray[np.int64], rows: NDArray[np.int64]
) -> Iterator[GrayImage]:
    """Decode WebP pictures ``rows`` out of one block of bytes."""
    import cv2

    for row in rows:
        encoded = blob[offsets[row] : offsets[row + 1]]
        picture: GrayImage | None = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)  # type: ignore[assignment]
        if picture is None:
            raise ConfigError(f"data set: picture {row} cannot be decoded; fetch the file again")
        yield picture
