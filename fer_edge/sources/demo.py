"""A source for machines without a camera: real faces that move over a background, always alike.

The face is cut from scikit-image's `data.astronaut()`: NASA's portrait of Eileen Collins, in the
public domain (astronaut.md beside it says more). Frame `n` is the same on every run and machine.
"""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from fer_edge.sources._pictures import frozen
from fer_edge.sources._timing import Numbering, Pacer
from fer_edge.types import BgrImage, Frame, GrayImage, Stream

FACE_SHARE_OF_CUTOUT = 95 / 248
"""Side of the box that a Viola-Jones detector draws, as a share of the cut-out's side."""
FACE_SHARES = (0.16, 0.36)
"""Smallest and largest face as a share of the frame's height, as a detector boxes it. The head with
its hair is 1.7 times as high. A cascade that asks for 0.12 of 360 lines searches 50 px at least."""
GRID = {1: (1, 1), 2: (2, 1), 3: (3, 1), 4: (2, 2), 5: (3, 2), 6: (3, 2), 7: (4, 2), 8: (4, 2)}
"""Columns and rows of the cells in which this number of faces move, so that they never overlap."""
PERIODS_S = (11.0, 7.0, 17.0)
"""Periods of the movement to the side, up and down, and of the size."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one cut-out lies: a square, in pixels of the frame."""

    left: int
    top: int
    side: int


def placements(frame: int, *, faces: int, fps: float, size: tuple[int, int]) -> list[Placement]:
    """Where the faces are in frame number `frame` of a picture of `size` (width, height)."""
    if not faces:
        return []
    columns, rows = GRID[faces]
    cell_width, cell_height = size[0] / columns, size[1] / rows
    smallest, largest = (share * size[1] / FACE_SHARE_OF_CUTOUT for share in FACE_SHARES)
    limit = min(cell_width, cell_height)
    found = []
    for face in range(faces):
        across, down, zoom = (
            0.5 + 0.5 * math.sin(math.tau * (frame / fps / period + 0.37 * face + shift))
            for period, shift in zip(PERIODS_S, (0.0, 0.31, 0.58), strict=True)
        )
        side = int(min(smallest + zoom * (largest - smallest), limit))
        left = (face % columns) * cell_width + across * (cell_width - side)
        top = (face // columns) * cell_height + down * (cell_height - side)
        found.append(Placement(int(left), int(top), side))
    return found


@dataclass(frozen=True, slots=True)
class Scene:
    """What every frame is made of; `channels` is 1 for luma, 3 for colour."""

    background: NDArray[np.uint8]
    cutout: NDArray[np.uint8]
    """The face, already multiplied by its opacity."""
    shade: NDArray[np.uint8]
    """Share of the background that shows through, 255 for all of it."""

    def render(self, where: list[Placement]) -> NDArray[np.uint8]:
        """The background with one cut-out at each place, in whole pixels.

        Resizing costs a quarter of warping to fractions.
        """
        import cv2

        image = self.background.copy()
        for place in where:
            extent = (place.side, place.side)
            face, shade = cv2.resize(self.cutout, extent), cv2.resize(self.shade, extent)
            region = image[place.top :, place.left :][: place.side, : place.side]
            region[:] = cv2.add(cv2.multiply(region, shade, scale=1 / 255), face)
        return frozen(image)


@cache
def scene(size: tuple[int, int], *, colour: bool) -> Scene:
    """The parts at this frame size, made once."""
    import cv2

    data = resources.files("fer_edge.sources").joinpath("astronaut.jpg").read_bytes()
    flag = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    face = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), flag), np.uint8)
    opacity = soft_oval(face.shape[0])
    background = textured(size)
    if colour:
        opacity = np.repeat(opacity[:, :, None], 3, axis=2)
        background = np.asarray(cv2.cvtColor(background, cv2.COLOR_GRAY2BGR), np.uint8)
    cutout = np.rint(face * opacity).astype(np.uint8)
    shade = np.rint(255 * (1 - opacity)).astype(np.uint8)
    return Scene(frozen(background), frozen(cutout), frozen(shade))


def soft_oval(side: int) -> NDArray[np.float32]:
    """Opacity of the cut-out: an oval about head and collar that fades out over its last quarter."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side * 2 - 1
    fade = np.clip((1 - np.hypot(x / 0.86, y / 0.97)) / 0.25, 0, 1)
    return np.asarray(fade * fade * (3 - 2 * fade), np.float32)


def textured(size: tuple[int, int]) -> GrayImage:
    """A mottled wall with a grain, from a bit generator whose output numpy never changes."""
    import cv2

    width, height = size
    wall = np.full((height, width), 110, np.float32)
    for seed, (cells, contrast) in enumerate(((6, 28), (24, 12), (96, 6), (480, 5))):
        shape = (max(2, cells * height // width), cells)
        raw = np.random.PCG64(seed).random_raw(shape[0] * shape[1]).reshape(shape)
        noise = (raw >> np.uint64(40)).astype(np.float32) / 2**23 - 1
        wall += contrast * cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    return np.clip(wall, 0, 255).astype(np.uint8)


class DemoPicture:
    """Rendered when somebody asks: grey for the detector, colour for a screen."""

    def __init__(self, size: tuple[int, int], where: list[Placement]) -> None:
        self.width, self.height = size
        self._where = where

    def gray(self, min_width: int = 0) -> GrayImage:
        """Luma at full size, whatever `min_width` in pixels; rendered once."""
        del min_width
        return self._luma

    def bgr(self, min_width: int = 0) -> BgrImage:
        """Colour at full size, whatever `min_width`; rendered on each call: only a screen asks."""
        del min_width
        return scene((self.width, self.height), colour=True).render(self._where)

    @cached_property
    def _luma(self) -> GrayImage:
        return scene((self.width, self.height), colour=False).render(self._where)


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo as a source."""

    live = False

    size: tuple[int, int] = (1920, 1080)
    """Width and height in pixels."""
    fps: float = 30.0
    faces: int = 1
    frames: int | None = None
    """End after this many frames; each opening begins at the first."""
    fast: bool = False
    """Frames at once instead of at `fps`."""
    _numbering: Numbering = field(default_factory=Numbering, repr=False)

    @property
    def name(self) -> str:
        """For people."""
        return f"demo, {self.faces} face{'' if self.faces == 1 else 's'}"

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Begin with the first frame."""
        yield _DemoStream(self)

    def frame(self, number: int, pacer: Pacer) -> Frame:
        """Frame `number`, when it is due."""
        where = placements(number, faces=self.faces, fps=self.fps, size=self.size)
        moment = pacer.wait(number / self.fps)
        return self._numbering.frame(DemoPicture(self.size, where), moment)


class _DemoStream:
    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._pacer = Pacer(fast=demo.fast)
        numbers = itertools.count() if demo.frames is None else iter(range(demo.frames))
        self._numbers: Iterator[int] = numbers

    def read(self) -> Frame | None:
        number = next(self._numbers, None)
        return None if number is None else self._demo.frame(number, self._pacer)
