"""Results to publish, and a clock to turn."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fer_edge.stats import NS_PER_S
from fer_edge.types import EMOTIONS, Affect, Box, Emotion, Face, Result, Stamp, Track

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    """Monotonic time that passes when it is told to."""

    def __init__(self):
        self.now_ns = 1000 * NS_PER_S

    def __call__(self):
        return self.now_ns

    def tick(self, seconds):
        self.now_ns += round(seconds * NS_PER_S)


@pytest.fixture
def clock():
    return Clock()


def make_face(number=1, *, emotion=Emotion.HAPPY, valence=0.5, arousal=0.25):
    probabilities = np.full(8, 0.05, np.float32)
    probabilities[EMOTIONS.index(emotion or Emotion.NEUTRAL)] = 0.65
    return Face(
        Track(number, Box(100.4, 50.6, 200.0, 220.0), START),
        emotion,
        0.65,
        Affect(probabilities, valence, arousal),
    )


@pytest.fixture
def face():
    return make_face


@pytest.fixture
def result(clock):
    """A result of the frame that is captured now."""
    seq = iter(range(1_000_000))

    def make(*faces, lost=False):
        at = START + timedelta(microseconds=(clock.now_ns - 1000 * NS_PER_S) // 1000)
        return Result(Stamp(next(seq), clock.now_ns, at, 1920, 1080), faces, lost=lost)

    return make
