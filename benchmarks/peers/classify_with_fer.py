"""The emotion that `fer` (PyPI) finds in each face; run by `measure`, in an environment of its own.

    python classify_with_fer.py FACES ANSWERS

Its emotion network alone, on the crops as they are: no detector, and none of the ten pixels that it
adds round a detector's box. It knows seven emotions; it never finds contempt.
"""

import json
import sys
from pathlib import Path

import numpy as np
from fer.fer import FER

NAMES = {"angry": "anger"}
"""Where its names differ from ours."""


def main() -> None:
    faces, answer_file = Path(sys.argv[1]), Path(sys.argv[2])
    sizes = json.loads((faces / "sizes.json").read_text())
    luma = np.fromfile(faces / "luma.bin", np.uint8)
    network = FER(offsets=(0, 0))
    answers, start = [], 0
    for height, width in sizes:
        face = luma[start : start + height * width].reshape(height, width)
        start += height * width
        coloured = np.repeat(face[..., None], 3, axis=2)
        (answer,) = network.detect_emotions(coloured, face_rectangles=[(0, 0, width, height)])
        emotions = answer["emotions"]
        best = max(emotions, key=emotions.get)
        answers.append(NAMES.get(best, best))
    answer_file.write_text(json.dumps(answers))


main()
