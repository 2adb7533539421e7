"""Where a face will be: an alpha-beta filter on its box.

The filter is the steady state of a Kalman filter for constant velocity (Kalata, "The tracking
index: a generalized parameter for α-β and α-β-γ target trackers", IEEE Transactions on Aerospace
and Electronic Systems, 1984). It steadies the box, which Viola-Jones lets tremble by some per cent
in a still face, and leads it when the face moves faster than the frames come.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_edge.types import Box

ALPHA = 0.6
"""Share of a new position that is believed."""

BETA = 0.257
"""Share of a new velocity that is believed: α²/(2-α), critically damped (Benedict and Bordner 1962)."""

LONGEST_STEP_S = 0.5
"""No face is predicted further ahead: it may have turned round by then."""

Vector = NDArray[np.float64]
"""Centre x, centre y, width, height, in pixels, or in pixels a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Position, size and their rates of change."""

    state: Vector
    rate: Vector

    @classmethod
    def at_rest(cls, box: Box) -> "Motion":
        """Of a face that was seen once."""
        return cls(_vector(box), np.zeros(4))

    def predict(self, elapsed_s: float) -> Box:
        """The box so many seconds later."""
        return _box(self._ahead(elapsed_s))

    def correct(self, seen: Box, elapsed_s: float) -> "Motion":
        """After the face was seen at `seen`, so many seconds later."""
        ahead = self._ahead(elapsed_s)
        residual = _vector(seen) - ahead
        rate = self.rate
        if elapsed_s > 0:
            rate = rate + residual * (BETA / max(elapsed_s, 0.01))
        return Motion(ahead + residual * ALPHA, rate)

    def _ahead(self, elapsed_s: float) -> Vector:
        moved = self.state + self.rate * min(elapsed_s, LONGEST_STEP_S)
        moved[2:] = np.maximum(moved[2:], self.state[2:] / 2)
        return moved


def _vector(box: Box) -> Vector:
    return np.array(
        [box.x + box.width / 2, box.y + box.height / 2, box.width, box.height], np.float64
    )


def _box(vector: Vector) -> Box:
    x, y, width, height = (float(value) for value in vector)
    return Box(x - width / 2, y - height / 2, width, height)
