"""How a Viola-Jones box lies on a data set's crop: ``python -m fer_edge.training.margin``.

The network learns on crops, the edge cuts where the detector says; the card's margin makes the
second look like the first.  Each crop is enlarged and laid on a canvas of its repeated edge, and
the detector's largest box is compared with the crop.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.evaluation.datasets import load
from fer_edge.types import GrayImage

SIDE = 192
"""Side of the enlarged crop, pixels."""
BORDER = 64
"""Canvas on each side of it, pixels."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Boxes relative to crops."""

    crops: int
    """Crops shown to the detector."""
    boxes: NDArray[np.float64]
    """``[found, 3]``: centre across, centre down, side, as shares of the crop's side."""

    @property
    def margin(self) -> float:
        """Share of a box to add on each side, so that the middling box becomes the crop."""
        return float((1 / np.median(self.boxes[:, 2]) - 1) / 2)


def fit(pictures: Iterable[GrayImage]) -> Fit:
    """Run the frontal face cascade over crops on canvases."""
    import cv2
    import cv2.data

    folder = Path(cv2.data.haarcascades)
    cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))
    boxes = []
    shown = 0
    for picture in pictures:
        shown += 1
        faces = cascade.detectMultiScale(
            _canvas(picture), scaleFactor=1.1, minNeighbors=5, minSize=(SIDE // 2, SIDE // 2)
        )
        if len(faces):
            x, y, side, _ = max(faces, key=lambda face: int(face[2]))
            centre = (x + side / 2 - BORDER, y + side / 2 - BORDER)
            boxes.append([value / SIDE for value in (*centre, side)])
    return Fit(shown, np.array(boxes, np.float64).reshape(-1, 3))


def _canvas(picture: GrayImage) -> GrayImage:
    """The enlarged crop on its repeated edge."""
    import cv2

    large = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    around = (BORDER,) * 4
    canvas: GrayImage = cv2.copyMakeBorder(large, *around, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return canvas


def main() -> None:
    """Measure on the validation split and print."""
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.margin")
    parser.add_argument("--dataset", required=True, help="KIND:PATH")
    measured = fit(load(parser.parse_args().dataset, "validation").pictures)
    if not len(measured.boxes):
        parser.error("the detector found no face on any crop")
    lines = [f"found on {len(measured.boxes)} of {measured.crops} crops"]
    marks = np.percentile(measured.boxes, [10, 50, 90], axis=0).T
    for name, values in zip(("centre across", "centre down", "side"), marks, strict=True):
        low, middle, high = values
        lines.append(f"{name}: median {middle:.3f}, a tenth below {low:.3f}, above {high:.3f}")
    lines.append(f"margin: {measured.margin:.3f}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
