"""Time between two frames, as the pictures tell it."""

from datetime import timedelta

from fer_edge.types import Stamp


def clock_step(earlier: Stamp, later: Stamp) -> timedelta:
    """By how much the clock was set back between two frames: negative, or zero if it was not."""
    seconds = later.captured_at - earlier.captured_at
    if seconds >= timedelta():
        return timedelta()
    return seconds - timedelta(microseconds=(later.captured_ns - earlier.captured_ns) / 1000)


def elapsed_s(earlier: Stamp, later: Stamp) -> float:
    """Seconds from one frame to the other, never negative.

    By the pictures' own clock, so that a recording that is processed faster than it was made gives
    the same tracks. A board without a clock battery sets its clock some time after start; where that
    went back, by the clock that never does, or nobody would be searched, lost or looked at until the
    old time has come again.
    """
    seconds = (later.captured_at - earlier.captured_at).total_seconds()
    if seconds < 0:
        seconds = (later.captured_ns - earlier.captured_ns) / 1e9
    return max(0.0, seconds)
