"""faces.csv and faces.jsonl: one row a face and frame."""

import csv
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from fer_edge.types import EMOTIONS, UNCERTAIN, Face

COLUMNS: Final = (
    "recording",
    "picture",
    "frame",
    "time_s",
    "face",
    "x",
    "y",
    "width",
    "height",
    "emotion",
    "confidence",
    *EMOTIONS,
    "valence",
    "arousal",
)
"""Of the table. `picture` is the file where a recording is a folder of pictures; `time_s` counts from
the recording's first frame; boxes are in pixels of the frame, upright."""


def row(recording: str, picture: str, frame: int, time_s: float, face: Face) -> dict[str, Any]:
    """One face in one frame."""
    box, affect = face.track.box, face.affect
    probabilities = zip(EMOTIONS, affect.probabilities, strict=True)
    return {
        "recording": recording,
        "picture": picture,
        "frame": frame,
        "time_s": round(time_s, 4),
        "face": face.track.id,
        "x": round(box.x),
        "y": round(box.y),
        "width": round(box.width),
        "height": round(box.height),
        "emotion": UNCERTAIN if face.emotion is None else face.emotion.value,
        "confidence": round(float(face.confidence), 4),
        **{emotion.value: round(float(p), 4) for emotion, p in probabilities},
        "valence": round(float(affect.valence), 4),
        "arousal": round(float(affect.arousal), 4),
    }


class Tables:
    """Both files, written as rows come."""

    def __init__(self, folder: Path) -> None:
        self._csv = (folder / "faces.csv").open("w", encoding="utf-8", newline="")
        self._jsonl = (folder / "faces.jsonl").open("w", encoding="utf-8")
        self._writer = csv.DictWriter(self._csv, COLUMNS, lineterminator="\n")
        self._writer.writeheader()

    def add(self, values: dict[str, Any]) -> None:
        """One row."""
        self._writer.writerow(values)
        self._jsonl.write(json.dumps(values, ensure_ascii=False) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._csv.close()
        self._jsonl.close()
