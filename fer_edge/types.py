"""The values that travel through the pipeline, and the protocols of the parts that handle them.

Every value is frozen and every image is a read-only array, so a value can be handed from thread to
thread without a lock. Boxes are in pixels of the full frame, whatever size a stage worked at.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

GrayImage = NDArray[np.uint8]
"""Luma, shape [height, width]."""

BgrImage = NDArray[np.uint8]
"""Colour, shape [height, width, 3], channels blue, green, red."""

Probabilities = NDArray[np.float32]
"""Shape [8], in the order of `Emotion`, sums to 1."""


class Emotion(StrEnum):
    """The eight classes, in the order of every model's output."""

    NEUTRAL = "neutral"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    FEAR = "fear"
    DISGUST = "disgust"
    ANGER = "anger"
    CONTEMPT = "contempt"


EMOTIONS: Final = tuple(Emotion)

UNCERTAIN: Final = "uncertain"
"""Published in place of an emotion while no class is confident enough."""


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box in pixels of the full frame; `x`, `y` is the top left corner."""

    x: float
    y: float
    width: float
    height: float


class Picture(Protocol):
    """What a camera delivered, decoded only as far as a stage asks. Safe to use from two threads."""

    @property
    def width(self) -> int:
        """Full width in pixels."""

    @property
    def height(self) -> int:
        """Full height in pixels."""

    def gray(self, min_width: int = 0) -> GrayImage:
        """Luma, read-only, [h, w]: the smallest plane at hand that is at least `min_width` wide.

        `min_width=0` means full size. The returned plane may be wider than asked for, never
        narrower (unless the picture itself is), and always has the picture's aspect ratio.

        Raises:
            FrameError: the picture cannot be decoded.
        """

    def bgr(self, min_width: int = 0) -> BgrImage:
        """Colour, read-only, [h, w, 3]; only a screen or a recording asks for it.

        `min_width` is as for `gray`: a small screen needs no full picture.

        Raises:
            FrameError: the picture cannot be decoded.
        """


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which frame a value belongs to."""

    seq: int
    """Number of the frame in this run, from 0, rising; gaps are frames that were dropped.

    The message that says that the source was lost has the number that follows the last frame's."""
    captured_ns: int
    """`time.monotonic_ns()` at capture: for latency."""
    captured_at: datetime
    """UTC at capture: for the wire. For a recording played with `fast`, start time + position."""
    width: int
    """Full frame width in pixels."""
    height: int
    """Full frame height in pixels."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured picture."""

    stamp: Stamp
    picture: Picture
    file: str = ""
    """Name of the file that the picture is; empty where it is not a file of its own."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The source was lost or turned off: who is in view is not known until the next frame."""

    captured_ns: int
    captured_at: datetime
    reason: str


Point = tuple[float, float]
"""Across and down, in pixels of the full frame."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face as a detector found it."""

    box: Box
    """A square about the face, upright in the face's own frame: levelled by `angle` about its centre."""
    score: float
    """Detector's own confidence; comparable within one detector only."""
    angle: float = 0.0
    """How far the head is tilted, degrees, clockwise in the picture; 0 is upright."""
    landmarks: tuple[Point, ...] = ()
    """Right eye, left eye, nose, right and left corner of the mouth, the person's own right and left;
    empty where the detector finds none."""


@dataclass(frozen=True, slots=True)
class Track:
    """A confirmed face, followed over frames."""

    id: int
    """Unique in this run, from 1."""
    box: Box
    since: datetime
    """UTC capture time of the first frame in which the face was seen."""
    seen: bool = True
    """Whether it was detected in this very frame; if not, `box` is where it should be."""
    angle: float = 0.0
    """Tilt of the head, degrees, clockwise in the picture."""
    landmarks: tuple[Point, ...] = ()
    """As in `Detection`; only if it was detected in this very frame."""


@dataclass(frozen=True, slots=True)
class FaceBatch:
    """The confirmed faces of one frame with their crops, on the way to the affect stage."""

    stamp: Stamp
    tracks: tuple[Track, ...]
    crops: tuple[GrayImage, ...]
    """One square luma crop for each track, each of its own size."""
    lost: bool = False
    """There is no picture: who is in view is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Affect:
    """What the model says of one face, before or after smoothing."""

    probabilities: Probabilities
    valence: float
    """-1 (unpleasant) to 1 (pleasant)."""
    arousal: float
    """-1 (calm) to 1 (excited)."""

    def mixed(self, other: "Affect", weight: float) -> "Affect":
        """A reading between this one (`weight` 0) and the `other` (1)."""
        probabilities = self.probabilities * np.float32(1 - weight)
        probabilities = probabilities + other.probabilities * np.float32(weight)
        probabilities.flags.writeable = False
        return Affect(
            probabilities,
            self.valence + (other.valence - self.valence) * weight,
            self.arousal + (other.arousal - self.arousal) * weight,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face as it is published."""

    track: Track
    emotion: Emotion | None
    """None while uncertain."""
    confidence: float
    """Smoothed probability of `emotion`, or of the most probable class while uncertain, 0 to 1."""
    affect: Affect


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Everything known of one processed frame."""

    stamp: Stamp
    faces: tuple[Face, ...] = field(default=())
    """Largest box first."""
    lost: bool = False
    """There is no picture: who is in view is not known, and `faces` is empty."""


class Stream(Protocol):
    """An open source."""

    def read(self) -> Frame | None:
        """The next frame, in order; None when a recording has ended.

        Blocks until a frame is there, at the longest for the source's own timeout.

        Raises:
            SourceLostError: the camera stalled or vanished; close it and open the source again.
            SourceError: the source will never deliver a frame (not a video, say).
        """


class Source(Protocol):
    """Something that can be opened, again and again."""

    @property
    def name(self) -> str:
        """For people, one line, without passwords."""

    @property
    def live(self) -> bool:
        """A live source is reopened for ever when it is lost; a recording ends."""

    def open(self) -> AbstractContextManager[Stream]:
        """Open the source; leaving the context releases it.

        Raises:
            SourceLostError: not there now (unplugged, refused): try again later.
            SourceError: will never be there (no such file, not a video).
        """


class Detector(Protocol):
    """Finds faces; boxes in pixels of the full frame."""

    @property
    def turns(self) -> int:
        """How many searches, numbered from 0, make a whole one: each looks for other faces.

        Number 0 looks for the most frequent: upright and not small.
        """

    def search(
        self, picture: Picture, known: Sequence[Box] = (), turn: int | None = 0
    ) -> Sequence[Detection]:
        """The faces of the picture, the costly way, for those that nobody knows of.

        Where a face is `known` to be, none need be looked for.  `turn` is one of `turns`; None for all
        of them.

        Raises:
            FrameError: the picture cannot be decoded.
        """

    def search_in_parts(
        self, picture: Picture, known: Sequence[Box] = (), turn: int = 0
    ) -> Iterator[Sequence[Detection]]:
        """The same search of this one picture in steps, for a frame each: none may take long.

        Every step but the last yields nothing, the last what `search` would.

        Raises:
            FrameError: the picture cannot be decoded; at the first step only.
        """

    def follow(self, picture: Picture, expected: Sequence[Detection]) -> Sequence[Detection]:
        """The faces near the places where known ones are expected, at about their sizes and tilts.

        At most one for each of `expected`, in no particular order; nothing where none is found.

        Raises:
            FrameError: the picture cannot be decoded.
        """


class Sink(Protocol):
    """Where results go. Called from one thread only, but for `connected`."""

    @property
    def name(self) -> str:
        """One word for logs and statistics."""

    @property
    def connected(self) -> bool | None:
        """Whether there is a connection for what is `put`; None for a sink that needs none."""

    def start(self) -> None:
        """Begin: open, connect, show; called once, before the first `put`. Returns at once."""

    def put(self, result: Result) -> None:
        """Take one result. Must not block for longer than a local write does."""

    def idle(self) -> None:
        """Called about four times a second while no result comes: for what is due by time."""

    def close(self) -> None:
        """Flush and release; called after the last `put`, or without any. Returns within a second."""
