"""The benchmarks' modules are imported from their folder, and a face of known geometry is at hand."""

import sys
from pathlib import Path

import numpy as np
import pytest

from fer_edge.types import Box

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))


@pytest.fixture
def square_face():
    """A black picture, 80 wide and 100 high, whose face is a white square left of and above its middle."""
    from measure.wild.faces import Face

    picture = np.zeros((100, 80), np.uint8)
    picture[10:40, 8:38] = 255
    return Face("square", picture, Box(8.0, 10.0, 30.0, 30.0), emotion=1)
