"""A camera of which a part counts, or that is upside down, on its side, or behind a mirror."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.sources.region import Region, RegionPicture
from fer_edge.types import BgrImage, Frame, GrayImage, Picture, Source, Stream


@dataclass(frozen=True, slots=True)
class Mounting:
    """What is made of the camera's pictures."""

    rotate: int = 0
    """Degrees clockwise: 0, 90, 180 or 270."""
    mirror: bool = False
    """Turned round afterwards, left for right."""
    region: Region | None = None
    """The part of the camera's picture that is cut out before that."""

    @property
    def on_its_side(self) -> bool:
        """Whether width and height change places."""
        return self.rotate % 180 == 90

    def picture(self, picture: Picture) -> Picture:
        """What is seen of the camera's picture; nothing is decoded yet."""
        if self.region is not None:
            picture = RegionPicture(picture, self.region)
        return MountedPicture(picture, self) if self.rotate or self.mirror else picture

    def apply(self, plane: NDArray[Any]) -> NDArray[Any]:
        """The plane the right way round, read-only."""
        turned = np.rot90(plane, -self.rotate // 90)
        if self.mirror:
            turned = turned[:, ::-1]
        # In one piece: what comes next does not take every layout.
        made = np.ascontiguousarray(turned)
        made.flags.writeable = False
        return made


class MountedPicture:
    """A picture the right way round; each plane is turned once."""

    def __init__(self, picture: Picture, mounting: Mounting) -> None:
        self._picture = picture
        self._mounting = mounting
        self._gray: dict[int, GrayImage] = {}

    @property
    def width(self) -> int:
        """Full width in pixels."""
        return self._picture.height if self._mounting.on_its_side else self._picture.width

    @property
    def height(self) -> int:
        """Full height in pixels."""
        return self._picture.width if self._mounting.on_its_side else self._picture.height

    def gray(self, min_width: int = 0) -> GrayImage:
        """Luma ``[h, w]``, at least ``min_width`` wide, as of `Picture`.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        plane = self._picture.gray(self._before(min_width))
        width = plane.shape[1]
        if width not in self._gray:
            self._gray[width] = self._mounting.apply(plane)
        return self._gray[width]

    def bgr(self, min_width: int = 0) -> BgrImage:
        """Colour ``[h, w, 3]``, as of `Picture`.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        return self._mounting.apply(self._picture.bgr(self._before(min_width)))

    def _before(self, min_width: int) -> int:
        """The width to ask for, of the picture as the camera gives it."""
        if not self._mounting.on_its_side:
            return min_width
        return -(-min_width * self._picture.width // self._picture.height)


@dataclass(frozen=True, slots=True)
class _MountedStream:
    stream: Stream
    mounting: Mounting

    def read(self) -> Frame | None:
        frame = self.stream.read()
        if frame is None:
            return None
        picture = self.mounting.picture(frame.picture)
        stamp = replace(frame.stamp, width=picture.width, height=picture.height)
        return replace(frame, stamp=stamp, picture=picture)


@dataclass(frozen=True, slots=True)
class MountedSource:
    """A source whose pictures are cut or turned."""

    source: Source
    mounting: Mounting

    @property
    def name(self) -> str:
        """For people."""
        return self.source.name

    @property
    def live(self) -> bool:
        """As of the source."""
        return self.source.live

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Open the source.

        Raises:
            SourceLostError, SourceError: as of the source.
        """
        with self.source.open() as stream:
            yield _MountedStream(stream, self.mounting)
