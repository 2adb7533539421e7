import cv2
import numpy as np
import pytest
from measure.detectors import Still, Tally, measure, stills
from measure.wild.faces import face_in, reference_detector, with_surroundings
from measure.wild.scene import background

from fer_edge.config import ViolaJonesDetector
from fer_edge.types import Box
from fer_edge.vision.detectors import open_detector


@pytest.fixture(scope="module")
def portrait():
    astronaut = pytest.importorskip("skimage.data").astronaut()
    picture = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    return with_surroundings(face_in(picture, "astronaut", reference_detector()), 0.6)


def test_each_face_is_shown_at_each_width_and_tilt_and_frames_without_one_follow(square_face):
    shown = stills([square_face], empty=2, seed=1)
    faces = [one for one in shown if one.face is not None]
    assert [one.shown for one in faces][:5] == [(220, 0), (220, 15), (220, 30), (220, 45), (110, 0)]
    assert [round(one.face.width) for one in faces] == [220] * 4 + [110] * 4 + [70] * 4
    assert len(shown) > len(faces) + 2
    assert {one.frame.shape for one in shown} == {(1080, 1920)}


def test_an_upright_face_is_found_and_a_wrong_place_is_a_false_one(portrait):
    (shown, *_) = stills([portrait], empty=0, seed=1)
    elsewhere = Still(shown.frame, Box(0.0, 0.0, 100.0, 100.0), shown.shown)
    detector = open_detector(ViolaJonesDetector(max_tilt_deg=0))
    tally = measure(detector, [shown])
    assert (tally.recall, len(tally.search_ms), len(tally.follow_ms)) == (1.0, 1, 1)
    wrong = measure(detector, [elsewhere])
    assert (wrong.recall, wrong.precision) == (0.0, 0.0)
    assert wrong.false == tally.found + tally.false


def test_what_is_found_in_an_empty_frame_is_false():
    class Seer:
        def search(self, picture, known=(), turn=0):
            from fer_edge.types import Detection

            return [Detection(Box(1.0, 1.0, 9.0, 9.0), 1.0)]

    empty = Still(background(np.random.default_rng(1)), None)
    tally = measure(Seer(), [empty])
    assert (tally.found, tally.false, tally.precision) == (0, 1, 0.0)
    assert tally.hits == {}
    assert Tally().precision == 0
