"""FER2013's pictures and FER+'s votes to one file: ``python -m fer_edge.training.pack_ferplus``.

``--fer2013`` is the challenge's ``fer2013.csv`` (or ``icml_face_data.csv``, the same with other spaces in
its head), which those who accept its research terms get from Kaggle; ``--ferplus`` is Microsoft's
``fer2013new.csv`` (MIT), whose rows are in the same order.  What comes out is the data set
``ferplus:FILE``, with:

- ``blob``, ``offsets`` ``[N+1]``: WebP bytes of 48 x 48 grey pictures; validation and test lossless;
- ``split`` ``[N]``: 0 training, 1 validation (PublicTest), 2 test (PrivateTest);
- ``votes`` ``[N, 10]``: our eight emotions, unknown, no face;
- ``duplicate_of_train`` ``[N]``: pixel for pixel in the training split too;
- ``valence``, ``arousal`` ``[N]``: shares of the votes times the ``--matrix``; NaN without;
- ``name`` ``[N]``: file name in FER+'s file.

A name that FER+'s file uses twice is left out with both its pictures, and so is a row without a name.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.training.weights import save_arrays
from fer_edge.types import EMOTIONS, GrayImage

SIDE: Final = 48
SPLITS: Final = {"Training": 0, "PublicTest": 1, "PrivateTest": 2}
COLUMNS: Final = (
    *("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"),
    *("unknown", "NF"),
)
"""FER+'s columns in our order of classes."""
CUT_OFF: Final = "fetch the file anew"


@dataclass(frozen=True, eq=False)
class Row:
    """One picture and what is said of it."""

    picture: GrayImage
    split: int
    votes: tuple[int, ...]
    name: str


def read_rows(fer2013: Path, ferplus: Path) -> Iterator[Row]:
    """Read both files side by side; rows without a name are passed over.

    Raises:
        ConfigError: a file is missing, has other columns, or does not match the other.
    """
    number = 1
    pairs = zip(
        _records(fer2013, ("pixels", "Usage")),
        _records(ferplus, ("Image name", *COLUMNS)),
        strict=True,
    )
    try:
        for number, (pictured, voted) in enumerate(pairs, 2):  # noqa: B007  named below
            if voted["Image name"]:
                pixels = np.array(pictured["pixels"].split(), np.uint8).reshape(SIDE, SIDE)
                votes = tuple(int(voted[column]) for column in COLUMNS)
                yield Row(pixels, SPLITS[pictured["Usage"]], votes, voted["Image name"])
    except (KeyError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"{fer2013} and {ferplus}, line {number}: {error}; they must have the same rows, "
            f"48 x 48 grey levels and whole votes: {CUT_OFF}"
        ) from None


def _records(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        with path.open(newline="") as file:
            table = csv.DictReader(file, skipinitialspace=True)
            columns = [name.strip() for name in table.fieldnames or []]
            missing = [name for name in needed if name not in columns]
            if missing:
                raise ConfigError(f"{path}: no column {missing[0]}; {CUT_OFF}")
            table.fieldnames = columns
            yield from table
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; name the file you hold") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: no CSV file ({error}); {CUT_OFF}") from None


def pack(
    rows: list[Row], matrix: NDArray[np.float64] | None, quality: int
) -> dict[str, NDArray[Any]]:
    """The arrays of the file.

    Args:
        rows: of both files.
        matrix: valence and arousal of each class ``[8, 2]``, or None.
        quality: of the training pictures' WebP, to 100; 101 is lossless.
    """
    used = Counter(row.name for row in rows)
    rows = [row for row in rows if used[row.name] == 1]
    learnt = {row.picture.tobytes() for row in rows if row.split == SPLITS["Training"]}
    encoded = [_encode(row.picture, 101 if row.split else quality) for row in rows]
    votes = np.array([row.votes for row in rows], np.uint8)
    plane = np.full((len(rows), 2), np.nan, np.float32)
    of_emotions = votes[:, : len(EMOTIONS)].astype(np.float64)
    total = of_emotions.sum(1)
    if matrix is not None:
        known = total > 0
        plane[known] = of_emotions[known] / total[known, None] @ matrix
    return {
        "blob": np.concatenate(encoded),
        "offsets": np.cumsum([0, *map(len, encoded)], dtype=np.int64),
        "split": np.array([row.split for row in rows], np.uint8),
        "votes": votes,
        "duplicate_of_train": np.array(
            [row.split > 0 and row.picture.tobytes() in learnt for row in rows]
        ),
        "valence": plane[:, 0],
        "arousal": plane[:, 1],
        "name": np.array([row.name for row in rows]),
    }


def _encode(picture: GrayImage, quality: int) -> NDArray[np.uint8]:
    import cv2

    _, encoded = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])
    flat: NDArray[np.uint8] = encoded.ravel()
    return flat


def _read_matrix(path: Path) -> NDArray[np.float64]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            matrix: NDArray[np.float64] = stored["matrix"].astype(np.float64)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(
            f"{path}: no matrix in it ({error}); name votes_to_valence_arousal.npz"
        ) from None
    if matrix.shape != (len(EMOTIONS), 2):
        raise ConfigError(f"{path}: matrix: is {matrix.shape}, must be ({len(EMOTIONS)}, 2)")
    return matrix


def main(argv: list[str] | None = None) -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.pack_ferplus")
    parser.add_argument("--fer2013", type=Path, required=True, help="fer2013.csv")
    parser.add_argument("--ferplus", type=Path, required=True, help="fer2013new.csv")
    parser.add_argument("--matrix", type=Path, help="votes to valence and arousal: an .npz file")
    parser.add_argument(
        "--quality", type=int, default=95, help="of training pictures; 101 is lossless"
    )
    parser.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    args = parser.parse_args(argv)
    try:
        matrix = _read_matrix(args.matrix) if args.matrix else None
        made = pack(list(read_rows(args.fer2013, args.ferplus)), matrix, args.quality)
        if not len(made["name"]):
            raise ConfigError(f"{args.ferplus}: no row with a name; {CUT_OFF}")
        args.out.parent.mkdir(parents=True, exist_ok=True)
        save_arrays(args.out, made)
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None
    counts = np.bincount(made["split"], minlength=len(SPLITS)).tolist()
    sys.stdout.write(f"{args.out}: {sum(counts)} pictures, {counts} by split, ")
    sys.stdout.write(f"{int(made['duplicate_of_train'].sum())} of them in the training split too\n")


if __name__ == "__main__":
    main()
