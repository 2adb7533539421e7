"""The `faces` message as typed values; a test holds them against `sinks/faces.schema.json`.

Fields that a newer daemon adds are ignored, so that an older client goes on reading it.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

Emotion: TypeAlias = Literal[
    "neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"
]
EmotionOrUncertain: TypeAlias = Literal[Emotion, "uncertain"]
Share = Annotated[float, Field(ge=0, le=1)]
Signed = Annotated[float, Field(ge=-1, le=1)]
Point = tuple[int, int]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Frame(_Value):
    """Size of the picture in pixels."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)


class Box(_Value):
    """In pixels of the picture, from its top left corner; may reach over its edge."""

    x: int
    y: int
    width: int = Field(ge=0)
    height: int = Field(ge=0)

    @property
    def center(self) -> tuple[float, float]:
        """Across and down, in pixels of the picture."""
        return self.x + self.width / 2, self.y + self.height / 2


class Face(_Value):
    """One face."""

    id: int = Field(ge=1)
    """Stays with a face as long as it is in view; unique in one run of the daemon."""
    box: Box
    """Where it is."""
    angle: float = Field(ge=-180, le=180)
    """Tilt of the head in degrees, clockwise in the picture."""
    zone: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """Name of the first counting zone that holds the centre of the box; None outside of all."""
    still: bool = False
    """Whether it is a picture of a face, such as a portrait; it does not count in `state`."""
    landmarks: tuple[Point, Point, Point, Point, Point] | None = None
    """Right eye, left eye, nose, right and left corner of the mouth, in pixels; None if not known."""
    emotion: EmotionOrUncertain
    """Most probable emotion, smoothed; uncertain while none is probable enough."""
    confidence: Share
    """Probability of the most probable emotion."""
    probabilities: dict[Emotion, Share]
    """Of all eight emotions; they sum to 1 within rounding."""
    valence: Signed
    """From -1, unpleasant, to 1, pleasant."""
    arousal: Signed
    """From -1, calm, to 1, excited."""
    since: AwareDatetime
    """When the face was first seen."""


class Faces(_Value):
    """The faces of one processed picture, largest first; none once, when the last face has left."""

    schema_: str = Field(alias="schema", pattern=r"^fer-edge/faces/\d+$")
    """Name and version of the message."""
    device: str = Field(min_length=1)
    """Who sent it."""
    seq: int = Field(ge=0)
    """Number of the picture in this run of the daemon; rises."""
    captured_at: AwareDatetime
    """When the picture was taken, by the device's clock."""
    latency_ms: float = Field(ge=0)
    """From capture to publishing, in milliseconds."""
    frame: Frame
    """Size of the picture."""
    faces: tuple[Face, ...]
    """Largest first; empty when nobody is in view, and when nobody knows."""
    lost: SkipJsonSchema[bool] = Field(default=False, exclude=True)
    """There are no pictures, so that who is in view is not known: `faces` is null in the message."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_nothing_known(cls, values: Any) -> Any:
        if isinstance(values, dict) and "faces" in values:
            lost = values["faces"] is None
            return {**values, "faces": () if lost else values["faces"], "lost": lost}
        return values

    @property
    def largest(self) -> Face | None:
        """The largest face; None if nobody is in view."""
        return self.faces[0] if self.faces else None

    def age_s(self) -> float:
        """Seconds since the picture was taken; right if both clocks are (NTP)."""
        return (datetime.now(UTC) - self.captured_at).total_seconds()
