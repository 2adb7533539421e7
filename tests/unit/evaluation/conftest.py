import cv2
import numpy as np
import pytest
from skimage import data

FACE = (177, 66, 95, 95)
"""x, y, width, height of the astronaut's face, as Viola-Jones finds it."""


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """A real face in its surroundings, [512, 512, 3], blue first."""
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture(scope="session")
def face(portrait) -> np.ndarray:
    """The face alone, luma."""
    x, y, width, height = FACE
    return cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)[y : y + height, x : x + width]
