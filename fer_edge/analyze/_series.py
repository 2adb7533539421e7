"""What the report needs of a recording: numbers by face, and pictures only where they were asked for."""

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fer_edge.types import EMOTIONS, Emotion, Face

COLUMNS = 4 + len(EMOTIONS)
"""Time, valence, arousal, number of the emotion (-1 while uncertain), eight probabilities."""

MAX_THUMBNAILS = 8


@dataclass
class Series:
    """One face."""

    id: int
    values: "array[float]" = field(default_factory=lambda: array("d"))
    thumbnails: list[tuple[float, bytes]] = field(default_factory=list)
    """Time in seconds, and a JPEG."""
    _every_s: float = 0.4
    """Seconds between two thumbnails; doubled when there are too many."""

    def add(self, time_s: float, face: Face) -> None:
        """One more frame."""
        number = -1 if face.emotion is None else EMOTIONS.index(face.emotion)
        affect = face.affect
        self.values.extend((time_s, affect.valence, affect.arousal, number))
        self.values.extend(map(float, affect.probabilities))

    def wants_thumbnail(self, time_s: float) -> bool:
        """Whether a thumbnail is due."""
        return not self.thumbnails or time_s - self.thumbnails[-1][0] >= self._every_s

    def add_thumbnail(self, time_s: float, jpeg: bytes) -> None:
        """One more; every other goes when there are too many, so that the rest is spread evenly."""
        self.thumbnails.append((time_s, jpeg))
        if len(self.thumbnails) > MAX_THUMBNAILS:
            self.thumbnails = self.thumbnails[::2]
            self._every_s *= 2

    def table(self) -> NDArray[np.float64]:
        """Rows of `COLUMNS`."""
        return np.frombuffer(self.values, np.float64).reshape(-1, COLUMNS)

    @property
    def frames(self) -> int:
        """In how many frames the face was seen."""
        return len(self.values) // COLUMNS

    def main_emotion(self) -> Emotion | None:
        """The one that was shown most often."""
        numbers = self.table()[:, 3].astype(int)
        most = int(np.bincount(numbers + 1, minlength=len(EMOTIONS) + 1).argmax()) - 1
        return None if most < 0 else EMOTIONS[most]


@dataclass
class Summary:
    """One recording."""

    name: str
    still: bool
    frames: int = 0
    """Frames that were read."""
    with_faces: int = 0
    unreadable: int = 0
    width: int = 0
    height: int = 0
    end_s: float = 0.0
    """Time of the last frame in seconds."""
    note: str = ""
    """Why it ended early."""
    video: str = ""
    """Name of the annotated copy."""
    faces: dict[int, Series] = field(default_factory=dict)
    pictures: dict[int, str] = field(default_factory=dict)
    """For pictures that have nothing to do with each other: the file of each face, by its id."""

    def ranked(self) -> list[Series]:
        """Faces, the one seen longest first."""
        return sorted(self.faces.values(), key=lambda one: -one.frames)
