"""Where a face will be: an alpha-beta filter on its box.

The filter is the steady state of a Kalman filter for constant velocity (Kalata, "The tracking
index: a generalized parameter for α-β and α-β-γ target trackers", IEEE Transactions on Aerospace
and Electronic Systems, 1984). It steadies the box, which Viola-Jones lets tremble by some per cent
in a still face, and leads it when the face moves faster than the frames come.
"""

from dataclasses import dataclass

from fer_edge.types import Box

ALPHA = 0.6
"""Share of a new position that is believed."""

BETA = 0.257
"""Share of a new velocity that is believed: α²/(2-α), critically damped (Benedict and Bordner 1962)."""

LONGEST_STEP_S = 0.5
"""No face is predicted further ahead: it may have turned round by then."""

Four = tuple[float, float, float, float]
"""Centre x, centre y, width, height, in pixels, or in pixels a second.

Plain floats: numpy's calls cost a hundred times what there is to add here."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Position, size and their rates of change."""

    state: Four
    rate: Four

    @classmethod
    def at_rest(cls, box: Box) -> "Motion":
        """Of a face that was seen once."""
        return cls(_four(box), (0.0, 0.0, 0.0, 0.0))

    def predict(self, elapsed_s: float) -> Box:
        """The box this many seconds later."""
        x, y, width, height = self._ahead(elapsed_s)
        return Box(x - width / 2, y - height / 2, width, height)

    def correct(self, seen: Box, elapsed_s: float) -> "Motion":
        """After the face was seen at `seen`, this many seconds later."""
        ahead, found = self._ahead(elapsed_s), _four(seen)
        believed = BETA / max(elapsed_s, 0.01) if elapsed_s > 0 else 0.0
        return Motion(
            _plus(ahead, found, ahead, ALPHA),
            _plus(self.rate, found, ahead, believed),
        )

    def _ahead(self, elapsed_s: float) -> Four:
        step_s = min(elapsed_s, LONGEST_STEP_S)
        x, y, width, height = self.state
        dx, dy, wider, higher = self.rate
        return (
            x + dx * step_s,
            y + dy * step_s,
            max(width + wider * step_s, width / 2),
            max(height + higher * step_s, height / 2),
        )


def _four(box: Box) -> Four:
    return box.x + box.width / 2, box.y + box.height / 2, box.width, box.height


def _plus(base: Four, found: Four, ahead: Four, share: float) -> Four:
    """`base` and a share of what was found beyond what was expected."""
    return (
        base[0] + (found[0] - ahead[0]) * share,
        base[1] + (found[1] - ahead[1]) * share,
        base[2] + (found[2] - ahead[2]) * share,
        base[3] + (found[3] - ahead[3]) * share,
    )
