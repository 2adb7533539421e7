"""A search over several frames finds what a search of one finds."""

import numpy as np
import pytest

from fer_edge.config import ViolaJonesDetector
from fer_edge.sources.demo import Demo
from fer_edge.types import Box
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.detectors._parts import PARTS, share, window_sizes

SIZES = window_sizes(24, 43, 360, 1.2)


def test_the_sizes_are_those_that_opencv_tries():
    assert SIZES == [50, 60, 72, 86, 103, 124, 149, 178, 214, 257, 308]


def test_every_size_is_looked_for_once_and_the_costly_ones_alone():
    assert share(SIZES, 24) == [(50, 50), (60, 60), (72, 72), (86, 103), (124, 308)]


@pytest.mark.parametrize("sizes", [[], [50], window_sizes(24, 43, 360, 2.0)])
def test_there_may_be_fewer_sizes_than_parts(sizes):
    parts = share(sizes, 24)
    assert len(parts) <= len(sizes)
    assert [size for size in sizes if any(low <= size <= high for low, high in parts)] == sizes


def pictures(faces, count=4):
    with Demo(faces=faces, fast=True, frames=count * 40).open() as stream:
        frames = list(iter(stream.read, None))
    return [frame.picture for frame in frames[::40]]


@pytest.mark.parametrize("options", [{}, {"scale_factor": 1.1, "min_neighbors": 0}])
@pytest.mark.parametrize("faces", [1, 4])
def test_all_parts_together_find_exactly_what_one_search_finds(faces, options):
    detector = open_detector(ViolaJonesDetector(**options))
    for picture in pictures(faces):
        *before, found = detector.search_in_parts(picture)
        assert before == [[]] * (PARTS - 1)
        expected = detector.search(picture)
        assert len(expected) >= faces
        assert sorted(found, key=str) == sorted(expected, key=str)


def test_a_known_face_is_left_out():
    detector = open_detector(ViolaJonesDetector())
    (picture, *_) = pictures(1)
    (face,) = detector.search(picture)
    assert [*detector.search_in_parts(picture, [face.box])][-1] == []


def test_later_parts_look_at_the_first_ones_picture():
    class Once:
        width, height = 1920, 1080

        def __init__(self, picture):
            self.picture, self.asked = picture, 0

        def gray(self, min_width=0):
            self.asked += 1
            return self.picture.gray(min_width)

    (picture, *_) = pictures(1)
    once = Once(picture)
    detector = open_detector(ViolaJonesDetector(verify=False))
    *_, found = detector.search_in_parts(once, [Box(0, 0, 50, 50)])
    assert (len(found), once.asked) == (1, 1)


def test_a_picture_smaller_than_any_face_is_no_error():
    class Tiny:
        width, height = 20, 16

        def gray(self, min_width=0):
            return np.zeros((16, 20), np.uint8)

    assert [*open_detector(ViolaJonesDetector()).search_in_parts(Tiny())] == [[]]
