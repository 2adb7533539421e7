"""What the tests of drawing share."""

from itertools import islice

import pytest

from fer_edge.overlay.text import Typesetter
from fer_edge.sources.demo import Demo

FRAME = 220
"""A large face at the left, whose box `scenes.face` has."""


@pytest.fixture(scope="session")
def typesetter():
    return Typesetter()


@pytest.fixture(scope="session")
def demo_picture():
    """A colour frame of the demo, 1920x1080."""
    with Demo(fast=True).open() as stream:
        frames = iter(stream.read, None)
        return next(islice(frames, FRAME, None)).picture.bgr()
