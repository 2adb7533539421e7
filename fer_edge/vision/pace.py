"""In which frames known faces are looked for."""

from collections.abc import Sequence
from typing import Final

from fer_edge.geometry import iou
from fer_edge.stamps import elapsed_s
from fer_edge.types import Detection, Stamp

LOOK_S: Final = 0.05
"""A known face is looked for again after this time at the latest: at 30 frames a second in every other one,
at 20 and fewer in each."""

STEADY_IOU: Final = 0.8
"""A face whose box overlaps as much with where it was expected moves as it did before."""


class Pace:
    """Leaves out looks at faces that move steadily: between two looks they are where they are expected."""

    def __init__(self) -> None:
        self._looked: Stamp | None = None
        self._steady = 0
        """How many faces there were at the last look, if all were where they were expected; else 0."""

    def rests(self, faces: int, stamp: Stamp) -> bool:
        """Whether this many known faces need not be looked for in this frame."""
        if self._looked is None or not 0 < faces == self._steady:
            return False
        return 0 < elapsed_s(self._looked, stamp) < LOOK_S

    def looked(
        self, expected: Sequence[Detection], found: Sequence[Detection], stamp: Stamp
    ) -> None:
        """Note what was expected in this frame, and what was found."""
        self._looked = stamp
        steady = (any(iou(one.box, it.box) >= STEADY_IOU for it in found) for one in expected)
        self._steady = len(expected) if all(steady) else 0

    def reset(self) -> None:
        """Look in the next frame."""
        self._looked = None
