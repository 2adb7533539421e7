"""Results to publish over MQTT, and how to wait for what becomes of them."""

import time
from datetime import UTC, datetime

import numpy as np
from broker import wait_for

from fer_edge.types import Affect, Box, Emotion, Face, Result, Stamp, Track

FACES = "fer-edge/kitchen/faces"
STATE = "fer-edge/kitchen/state"
AVAILABILITY = "fer-edge/kitchen/availability"
DIAGNOSTICS = "fer-edge/kitchen/diagnostics"

MANY = 60
"""Faces of a result that is meant to be large: 18 kB of JSON."""


class Camera:
    """Makes results of frames that are captured now."""

    def __init__(self):
        self.seq = -1
        probabilities = np.full(8, 0.05, np.float32)
        probabilities[1] = 0.65
        affect = Affect(probabilities, 0.5, 0.1)
        since = datetime.now(UTC)
        self.faces = tuple(
            Face(Track(number, Box(10, 20, 200, 200), since), Emotion.HAPPY, 0.65, affect)
            for number in range(1, MANY + 1)
        )

    def see(self, count=1, *, captured_ns=None):
        self.seq += 1
        ns = time.monotonic_ns() if captured_ns is None else captured_ns
        stamp = Stamp(self.seq, ns, datetime.now(UTC), 1920, 1080)
        return Result(stamp, self.faces[:count])


def feed(sink, camera, until, count=1):
    """Results at 50 a second until `until()` is true, as the pipeline would put them."""

    def step():
        sink.put(camera.see(count))
        time.sleep(0.02)
        return until()

    wait_for(step)


def is_connected(sink):
    return lambda: sink.connected


def log_lines(caplog):
    return [r.getMessage() for r in caplog.records if r.name.startswith("fer_edge")]
