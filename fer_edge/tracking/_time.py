"""Time between two frames, as the pictures tell it."""

from fer_edge.types import Stamp


def elapsed_s(earlier: Stamp, later: Stamp) -> float:
    """Seconds from one frame to the other, never negative.

    By the pictures' own clock, so that a recording that is processed faster than it was made gives
    the same tracks. A board without a clock battery sets its clock some time after start: a step
    back counts as no time.
    """
    return max(0.0, (later.captured_at - earlier.captured_at).total_seconds())
