from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from fer_edge.config import ViolaJonesDetector
from fer_edge.errors import ConfigError
from fer_edge.geometry import iou
from fer_edge.sources._pictures import GrayPicture, JpegPicture
from fer_edge.types import Box
from fer_edge.vision.detectors import open_detector

FACE = Box(170, 70, 108, 108)
"""Eileen Collins' face in scikit-image's portrait, found by eye: brow to chin, ear to ear."""

ON_THE_WALL = Box(2 * FACE.x + 700, 2 * FACE.y + 28, 2 * FACE.width, 2 * FACE.height)


@pytest.fixture(scope="module")
def portrait():
    return cv2.cvtColor(pictures.astronaut(), cv2.COLOR_RGB2GRAY)


@pytest.fixture(scope="module")
def on_a_wall(portrait):
    """The portrait at twice its size in a 1920×1080 frame, at (700, 28)."""
    frame = np.full((1080, 1920), 110, np.uint8)
    frame[28:1052, 700:1724] = cv2.resize(portrait, (1024, 1024))
    return frame


@pytest.fixture(scope="module")
def detect():
    return open_detector(ViolaJonesDetector())


def test_finds_a_real_face_in_frame_pixels(detect, on_a_wall):
    (found,) = detect.search(GrayPicture(on_a_wall))
    assert iou(found.box, ON_THE_WALL) > 0.5
    assert found.score >= ViolaJonesDetector().min_neighbors


def test_finds_the_same_face_in_a_reduced_jpeg(detect, on_a_wall):
    ok, data = cv2.imencode(".jpg", on_a_wall)
    assert ok
    (found,) = detect.search(JpegPicture(data.tobytes()))
    (expected,) = detect.search(GrayPicture(on_a_wall))
    assert iou(found.box, expected.box) > 0.7


def test_finds_nothing_on_a_wall(detect):
    assert list(detect.search(GrayPicture(np.full((1080, 1920), 110, np.uint8)))) == []


def test_min_face_is_a_share_of_the_height(on_a_wall):
    # The face is 216 of 1080 lines high: 20 %.
    picture = GrayPicture(on_a_wall)
    assert open_detector(ViolaJonesDetector(min_face=0.1)).search(picture)
    assert not open_detector(ViolaJonesDetector(min_face=0.4)).search(picture)


def test_a_small_picture_is_not_enlarged(detect, portrait):
    (found,) = detect.search(GrayPicture(portrait))
    assert iou(found.box, FACE) > 0.5


@pytest.mark.parametrize("content", [None, b"", b"<xml/>", b"not a cascade"])
def test_a_cascade_that_is_none(tmp_path, content):
    path = Path(tmp_path, "cascade.xml")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        open_detector(ViolaJonesDetector(cascade=path))
    assert str(caught.value).startswith(f"detector.cascade: {path} is not ")
    assert "\n" not in str(caught.value)


def test_threads_are_opencvs_and_left_alone_by_default():
    before = cv2.getNumThreads()
    try:
        open_detector(ViolaJonesDetector(threads=1))
        assert cv2.getNumThreads() == 1
        open_detector(ViolaJonesDetector())
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)
