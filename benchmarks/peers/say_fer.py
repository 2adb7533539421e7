"""What `fer` (PyPI) says of each face; run by `measure`, in an environment of its own.

    python say_fer.py FACES SAID

Its emotion network alone, on the crops as they are: no detector, and none of the ten pixels that it
adds round a detector's box. It knows seven emotions; contempt it never says.
"""

import json
import sys
from pathlib import Path

import numpy as np
from fer.fer import FER

NAMES = {"angry": "anger"}
"""Where its names differ from ours."""


def main() -> None:
    faces, said = Path(sys.argv[1]), Path(sys.argv[2])
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
    said.write_text(json.dumps(answers))


main()
