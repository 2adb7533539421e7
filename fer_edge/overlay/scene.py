"""What a screen shows at one moment, in pixels of the camera's frame; values only."""

from dataclasses import dataclass
from enum import StrEnum

from fer_edge.types import Box, Emotion, Point, Probabilities

Reading = tuple[float, float]
"""Valence and arousal, -1 to 1."""


class Side(StrEnum):
    """Where a face's panel lies, the best first."""

    RIGHT = "right"
    LEFT = "left"
    BELOW = "below"
    ABOVE = "above"
    """And above the label: in a lower corner the label reaches over what is beside the box."""
    INSIDE = "inside"
    """In the lower right corner of a face that leaves no room beside it."""


class Detail(StrEnum):
    """How much a face's panel holds; the label at the box is always there."""

    FULL = "full"
    """Circumplex and bars."""
    CIRCUMPLEX = "circumplex"
    NONE = "none"


@dataclass(frozen=True, slots=True, eq=False)
class ShownFace:
    """One face."""

    id: int
    box: Box
    emotion: Emotion | None
    confidence: float
    probabilities: Probabilities
    trail: tuple[Reading, ...]
    """Where valence and arousal have been in the last seconds, the newest last."""
    landmarks: tuple[Point, ...] = ()
    """Points on the face that are drawn, in pixels of the frame."""
    still: bool = False
    """A picture of a face: drawn dimmed."""


@dataclass(frozen=True, slots=True)
class ShownZone:
    """A part of the picture with a name."""

    name: str
    points: tuple[Point, ...]
    """Its corners in shares of the frame."""
    ignored: bool = False
    """No face is looked at there: drawn hatched."""


@dataclass(frozen=True, slots=True)
class Status:
    """The figures in the lower left corner of the screen."""

    rate_hz: float = 0.0
    """Frames recognised a second."""
    latency_ms: float | None = None
    """From capture to result."""
    broker: bool | None = None
    """Whether it is connected; None where none is configured."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Everything to draw except the camera's picture."""

    width: int
    """Of the camera's frame in pixels."""
    height: int
    faces: tuple[ShownFace, ...] = ()
    """Largest first."""
    status: Status | None = None
    notice: str = ""
    """One line in the middle of the screen, such as why there is no picture."""
    zones: tuple[ShownZone, ...] = ()
