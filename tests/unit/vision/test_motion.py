import cv2
import numpy as np
import pytest

from fer_edge.sources._pictures import GrayPicture
from fer_edge.sources.demo import textured
from fer_edge.types import Box
from fer_edge.vision.motion import MotionGate

SIZE = (1920, 1080)


@pytest.fixture(scope="module")
def wall():
    return textured(SIZE)


@pytest.fixture
def gate(wall):
    gate = MotionGate(640)
    assert gate.changed(GrayPicture(wall), []), "before anything was searched"
    gate.remember(GrayPicture(wall))
    return gate


def test_the_same_picture_has_not_changed(gate, wall):
    assert not gate.changed(GrayPicture(wall), [])


def test_sensor_noise_and_a_clouds_shadow_are_no_change(gate, wall):
    random = np.random.default_rng(3)
    noisy = np.clip(wall + random.normal(0, 10, wall.shape) - 2, 0, 255).astype(np.uint8)
    assert not gate.changed(GrayPicture(noisy), [])


def test_a_small_head_is_a_change(gate, wall):
    head = wall.copy()
    cv2.ellipse(head, (900, 500), (45, 60), 0, 0, 360, 190, -1)
    assert gate.changed(GrayPicture(head), [])


def test_what_happens_where_a_face_is_known_is_no_change(gate, wall):
    moved = wall.copy()
    cv2.ellipse(moved, (900, 500), (90, 120), 0, 0, 360, 190, -1)
    known = [Box(790, 390, 220, 220)]
    assert gate.changed(GrayPicture(moved), [])
    assert not gate.changed(GrayPicture(moved), known)
    moved = moved.copy()
    cv2.ellipse(moved, (300, 500), (90, 120), 0, 0, 360, 190, -1)
    assert gate.changed(GrayPicture(moved), known), "somebody else came"


def test_a_box_over_the_edge_is_no_error(gate, wall):
    assert not gate.changed(
        GrayPicture(wall), [Box(-300, -200, 500, 500), Box(1800, 900, 400, 400)]
    )


def test_another_size_is_a_change(gate):
    assert gate.changed(GrayPicture(np.zeros((480, 640), np.uint8)), [])


def test_in_the_dark_a_smaller_change_counts():
    rng = np.random.default_rng(0)

    def dark(person: float) -> GrayPicture:
        plane = np.full((1080, 1920), 12.0)
        plane[400:700, 800:1000] += person
        noisy = plane + rng.normal(0, 1.5, plane.shape)
        return GrayPicture(noisy.round().clip(0, 255).astype(np.uint8))

    gate = MotionGate(640)
    gate.remember(dark(0))
    assert not gate.changed(dark(0), [])
    assert gate.changed(dark(4), [])
