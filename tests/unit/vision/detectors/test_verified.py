"""A new face is believed where two detectors see it."""

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from fer_edge.config import ViolaJonesDetector
from fer_edge.sources._pictures import GrayPicture
from fer_edge.types import Box, Detection
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.detectors.verified import Verified

WALL = Detection(Box(100.0, 300.0, 200.0, 200.0), 9.0)


@pytest.fixture(scope="module")
def portrait():
    return cv2.cvtColor(pictures.astronaut(), cv2.COLOR_RGB2GRAY)


@pytest.fixture(scope="module")
def picture(portrait):
    """A wall of noise with the portrait in its right half."""
    noise = np.random.default_rng(1).integers(60, 180, (1080, 1920), np.uint8)
    frame = cv2.GaussianBlur(noise, (0, 0), 9)
    frame[28:1052, 700:1724] = cv2.resize(portrait, (1024, 1024))
    return GrayPicture(np.asarray(frame, np.uint8))


@pytest.fixture(scope="module")
def cascade():
    return open_detector(ViolaJonesDetector(verify=False))


class AlsoTheWall:
    """The cascade, and a find of its own where nothing is."""

    def __init__(self, cascade):
        self._cascade = cascade
        self.turns = cascade.turns
        self.follow = cascade.follow

    def search(self, picture, known=(), turn=0):
        return [WALL, *self._cascade.search(picture, known, turn)]

    def search_in_parts(self, picture, known=(), turn=0):
        for found in self._cascade.search_in_parts(picture, known, turn):
            yield [WALL, *found] if found else found


def test_a_face_stays_and_a_wall_does_not(cascade, picture):
    genuine = list(cascade.search(picture))
    verified = Verified(AlsoTheWall(cascade))
    assert genuine
    assert WALL not in genuine
    assert verified.search(picture) == genuine


def test_in_parts_as_in_one(cascade, picture):
    *early, last = Verified(AlsoTheWall(cascade)).search_in_parts(picture)
    assert not any(early)
    assert last
    assert WALL not in last


def test_followed_faces_are_not_asked_about(cascade, picture):
    (found,) = cascade.search(picture)
    assert Verified(cascade).follow(picture, [found]) == cascade.follow(picture, [found])


def test_the_default_is_verified():
    assert isinstance(open_detector(ViolaJonesDetector()), Verified)
