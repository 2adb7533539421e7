"""The form that every data set is read into."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError
from fer_edge.evaluation.people import People
from fer_edge.modelcard import DataSource
from fer_edge.preprocess import crop_face
from fer_edge.types import Box, GrayImage

Rows = NDArray[Any] | slice


@dataclass(frozen=True)
class Origin:
    """Where pictures and labels come from; a model's card repeats it."""

    dataset: str
    """Which pictures."""
    split: str
    """Which part of them, and what was left out."""
    label_source: str
    """Where the true emotions come from."""
    valence_arousal_source: str
    """Where the true valence and arousal come from."""
    data: tuple[DataSource, ...] = ()
    """Sources and licences that a model trained on them must name."""


@dataclass(frozen=True)
class StoredFace:
    """A face in a picture file."""

    path: Path
    box: Box | None = None
    """In the picture's pixels; the whole picture if None."""
    angle: float = 0.0
    """Tilt of the head, degrees, clockwise."""

    def read(self) -> GrayImage:
        """The face's luma, ``[height, width]``.

        Raises:
            ConfigError: the file is missing or no picture.
        """
        import cv2

        picture: GrayImage | None = cv2.imread(str(self.path), cv2.IMREAD_GRAYSCALE)  # type: ignore[assignment]
        if picture is None:
            raise ConfigError(
                f"data set: {self.path}: cannot be read; fetch it again or remove its row"
            )
        if self.box is None:
            return picture
        return crop_face(picture, self.box, margin=0, angle=self.angle)


class Pictures:
    """Luma crops ``[height, width]``, by row; those in files are read whenever they are asked for."""

    def __init__(self, items: Iterable[GrayImage | StoredFace]) -> None:
        given = list(items)
        self._items = np.empty(len(given), object)
        for i, item in enumerate(given):
            self._items[i] = item

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, row: int) -> GrayImage: ...
    @overload
    def __getitem__(self, row: Rows) -> Self: ...
    def __getitem__(self, row: int | Rows) -> GrayImage | Self:
        if isinstance(row, (int, np.integer)):
            item: GrayImage | StoredFace = self._items[row]
            return item.read() if isinstance(item, StoredFace) else item
        return type(self)(self._items[row])

    def __iter__(self) -> Iterator[GrayImage]:
        return (self[i] for i in range(len(self)))


@dataclass(frozen=True, eq=False)
class Samples:
    """Pictures with their labels; the first five members have a row for each picture."""

    pictures: Pictures
    soft_labels: NDArray[np.float32]
    """``[N, 8]``, the distribution of votes, in the order of ``Emotion``; rows sum to 1."""
    labels: NDArray[np.int64]
    """``[N]``, the class that counts as right."""
    valence_arousal: NDArray[np.float32]
    """``[N, 2]`` in [-1, 1]; NaN where unknown."""
    names: NDArray[np.str_]
    """``[N]``, for people."""
    origin: Origin
    persons: NDArray[np.str_] | None = None
    """``[N]``, who is seen; None where nobody says."""
    people: People | None = None
    """What each annotator said, where that is known."""

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: Rows) -> Self:
        return replace(
            self,
            pictures=self.pictures[rows],
            soft_labels=self.soft_labels[rows],
            labels=self.labels[rows],
            valence_arousal=self.valence_arousal[rows],
            names=self.names[rows],
            persons=None if self.persons is None else self.persons[rows],
            people=None if self.people is None else self.people[rows],
        )


def split_positions(names: Sequence[str]) -> NDArray[np.float64]:
    """A number in [0, 1) for each name, ``[N]``: the same on every machine and in any order.

    Splits chosen by position stay as they are when pictures are added.
    """
    return np.array([zlib.crc32(name.encode()) for name in names], np.float64) / 2**32
