from datetime import UTC, datetime

import numpy as np
import pytest

from fer_edge.types import Affect, Box, Emotion, Face, Track


@pytest.fixture(scope="session")
def face():
    """A happy one at a known place of a picture of 640x360."""
    probabilities = np.full(8, 0.0125, np.float32)
    probabilities[1] = 0.9125
    track = Track(1, Box(100, 100, 200, 200), datetime.now(UTC))
    return Face(track, Emotion.HAPPY, 0.9125, Affect(probabilities, 0.5, 0.2))
