import random

import numpy as np
import pytest

from fer_edge.overlay.animate import TRAIL_S, UPGRADE_S, Animator, Arranger
from fer_edge.overlay.layout import Placement, Rect, Sizes
from fer_edge.overlay.scene import Detail, Side
from fer_edge.types import Affect, Box, Emotion, Face, Result, Track

HD = (1920, 1080)
SIZES = Sizes.of(*HD)
EVEN = np.full(8, 0.125, np.float32)


@pytest.fixture
def result(stamp_at):
    def make(seconds, box, *, valence=0.0):
        stamp = stamp_at(seconds)
        face = Face(Track(1, box, stamp.captured_at), Emotion.HAPPY, 0.9, Affect(EVEN, valence, 0))
        return Result(stamp, (face,))

    return make


def test_a_face_that_stands_does_not_tremble(result):
    noise = random.Random(1)
    animator = Animator()
    shown = []
    for frame in range(150):
        jitter = noise.uniform(-4, 4)
        animator.update(result(frame / 30, Box(500 + jitter, 300, 200, 200)))
        shown.append(animator.scene().faces[0].box.x)
    steps = np.abs(np.diff(shown[30:]))
    assert np.std(shown[30:]) < 1.3, "given: 2.3"
    assert steps.max() < 2.5, "given: up to 8"


def test_a_face_that_moves_is_followed(result):
    animator = Animator()
    for frame in range(60):
        animator.update(result(frame / 30, Box(100 + 20 * frame, 300, 200, 200)))
    assert animator.scene().faces[0].box.x == pytest.approx(100 + 20 * 59, abs=12)


def test_the_first_box_is_shown_as_it_is(result):
    animator = Animator()
    animator.update(result(0, Box(500, 300, 200, 100)))
    assert animator.scene().faces[0].box == Box(500, 300, 200, 100)


def test_the_trail_is_of_the_last_seconds(result):
    animator = Animator()
    for frame in range(300):
        animator.update(result(frame / 30, Box(500, 300, 200, 200), valence=frame / 300))
    trail = animator.scene().faces[0].trail
    assert trail[-1] == (pytest.approx(299 / 300), 0)
    assert len(trail) == pytest.approx(TRAIL_S * 30, abs=1)


def test_a_face_that_left_is_gone(result, stamp_at):
    animator = Animator()
    animator.update(result(0, Box(500, 300, 200, 200)))
    animator.update(Result(stamp_at(1)))
    assert animator.scene().faces == ()


def test_cleared(result):
    animator = Animator()
    animator.update(result(0, Box(500, 300, 200, 200)))
    animator.clear()
    assert animator.scene().faces == ()


def test_a_larger_panel_waits_until_there_has_been_room_for_a_while():
    arranger = Arranger()
    box, other = Rect(600, 300, 300, 300), Rect(0, 0, 0, 0)
    crowd = [Rect(0, 0, 560, 1080), Rect(1150, 0, 770, 1080)]
    second = 1_000_000_000
    small = arranger.arrange({1: box}, crowd, SIZES, HD, 0)
    assert small == {1: Placement(Detail.CIRCUMPLEX, Side.RIGHT)}
    soon = arranger.arrange({1: box}, [other], SIZES, HD, second)
    assert soon == small, "not at once"
    later = arranger.arrange({1: box}, [other], SIZES, HD, round((1.1 + UPGRADE_S) * second))
    assert later == {1: Placement(Detail.FULL, Side.RIGHT)}


def test_room_that_comes_and_goes_changes_nothing():
    arranger = Arranger()
    box = Rect(600, 300, 300, 300)
    crowd = [Rect(0, 0, 560, 1080), Rect(1150, 0, 770, 1080)]
    seen = {
        str(arranger.arrange({1: box}, crowd if i % 2 else [], SIZES, HD, i * 66_000_000))
        for i in range(1, 100)
    }
    assert len(seen) == 1
