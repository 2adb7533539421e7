#!/usr/bin/env python3
"""A robot's head that turns to the largest face: turn_to_face.py [URL] [DEVICE].

Prints how fast to turn, from -1 (left, as the camera sees it) to 1 (right). Replace `turn` by what
moves your robot. It stops when the face has left, and when nothing was heard for a second.
"""

import sys

from fer_edge.client import Faces, subscribe

GAIN = 1.5
DEAD_ZONE = 0.05
SILENCE_S = 1.0
STALE_S = 1.0
"""Older pictures are passed over; needs clocks that agree (NTP)."""


def speed(message: Faces) -> float:
    """How fast to turn; 0 with nobody in view, and with a face in the middle."""
    face = message.largest
    if face is None:
        return 0.0
    offset = 2 * face.box.center[0] / message.frame.width - 1
    return 0.0 if abs(offset) < DEAD_ZONE else max(-1.0, min(1.0, GAIN * offset))


def turn(how_fast: float) -> None:
    """Turn the head; here it only says so."""
    print(f"turn {how_fast:+.2f}", flush=True)  # noqa: T201


def main() -> None:
    """Follow until stopped."""
    url = sys.argv[1] if len(sys.argv) > 1 else "mqtt://localhost"
    device = sys.argv[2] if len(sys.argv) > 2 else None
    with subscribe(url, device=device) as subscription:
        while True:
            message = subscription.get(SILENCE_S)
            fresh = message is not None and message.age_s() < STALE_S
            turn(speed(message) if message is not None and fresh else 0.0)


if __name__ == "__main__":
    main()
