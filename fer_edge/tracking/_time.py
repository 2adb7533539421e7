"""Time between two frames, as the pictures tell it."""

from fer_edge.types import Stamp


def elapsed_s(earlier: Stamp, later: Stamp) -> float:
    """Seconds from one frame to the other, never negative.

    By the pictures' own clock, so that a recording that is processed faster than it was made gives
    the same tracks. Only a camera's clock can be set back, by a board without a clock battery some
    time after start; its other clock then knows better. Counting such a step as no time would keep
    a face that has left, and see nobody new, for as long as the step was.
    """
    passed_s = (later.captured_at - earlier.captured_at).total_seconds()
    if passed_s < 0:
        passed_s = (later.captured_ns - earlier.captured_ns) / 1e9
    return max(0.0, passed_s)
