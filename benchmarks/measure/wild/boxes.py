"""Where published boxes lie on the faces: for fitting the crop, and for a look at a detector."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from measure.wild.found import Answer

Row = dict[str, object]


def box_row(answer: Answer, condition: str) -> Row:
    """How the published box lies on the true one, in the face's own axes.

    `across` and `down` are the offset of its centre in sides of the true box, `scale` its side in the
    same measure, `angle` how far the published tilt is off, in degrees.
    """
    assert answer.message is not None
    shown, box = answer.shown, answer.message["box"]
    true, tilt = shown.box, shown.tilt + shown.face.angle
    x = (box["x"] + box["width"] / 2 - true.x - true.width / 2) / true.width
    y = (box["y"] + box["height"] / 2 - true.y - true.height / 2) / true.width
    turn = math.radians(tilt)
    return {
        "condition": condition,
        "face": shown.face.name,
        "tilt": round(tilt, 1),
        "across": round(math.cos(turn) * x + math.sin(turn) * y, 4),
        "down": round(math.cos(turn) * y - math.sin(turn) * x, 4),
        "scale": round(math.sqrt(box["width"] * box["height"]) / true.width, 4),
        "angle": round((answer.message.get("angle", 0.0) - tilt + 180) % 360 - 180, 1),
    }


def box_rows(answers: Mapping[str, Sequence[Answer]]) -> list[Row]:
    """Of all faces that were found, by condition."""
    return [box_row(one, name) for name, some in answers.items() for one in some if one.found]


def write_boxes(rows: Sequence[Row], path: Path) -> None:
    """One row for each face that was found."""
    head = {
        "truth": "the project's own YuNet on the upright picture, turned and scaled with it; where it "
        "finds no face, the middle square of the picture",
        "boxes": rows,
    }
    path.write_text(json.dumps(head, indent=1) + "\n")


def summary(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Medians, and the 10th and 90th percentile, by condition."""
    made = []
    for name in dict.fromkeys(str(row["condition"]) for row in rows):
        mine = [row for row in rows if row["condition"] == name]
        cells = []
        for key, form in (
            ("across", "+.2f"),
            ("down", "+.2f"),
            ("scale", ".2f"),
            ("angle", "+.0f"),
        ):
            low, middle, high = np.percentile([float(str(row[key])) for row in mine], [10, 50, 90])
            cells.append(f"{middle:{form}} ({low:{form}} … {high:{form}})")
        made.append((name, str(len(mine)), *cells))
    return made
