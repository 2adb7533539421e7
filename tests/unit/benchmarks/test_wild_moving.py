from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from measure.wild.nobody import clip_seconds, film_nobody, photographs, tracks
from measure.wild.stillness import (
    PORTRAIT,
    SITTER,
    Scene,
    blinking,
    film_scene,
    judge_still,
    pose_of,
)
from measure.wild.turning import FPS, Head, film_turning, judge_turning, tilt_at

from fer_edge.types import Box

BOX = Box(100.0, 100.0, 60.0, 60.0)


def faces(identity, **more):
    return [{"id": identity, "box": {"x": 100, "y": 100, "width": 60, "height": 60}, **more}]


def test_a_head_turns_to_the_other_side_and_back():
    assert [tilt_at(second) for second in (-1, 0, 0.5, 1, 2, 3)] == pytest.approx(
        [-45, -45, 0, 45, -45, -45]
    )


def test_a_film_of_a_turning_head_has_its_true_boxes(tmp_path, square_face):
    (head,) = film_turning(tmp_path / "turning.avi", [square_face], 300.0, seed=1)

    assert head.ends - head.turns == 2 * FPS
    assert len(head.boxes) == 3.5 * FPS
    # The face lies above the middle: leaning left at first, right halfway through the turn.
    assert head.boxes[head.turns].x < head.boxes[head.turns + FPS].x - 50


HEAD = Head(dict.fromkeys(range(10), BOX), turns=3, ends=8)


@pytest.mark.parametrize(
    ("published", "known", "kept", "seen"),
    [
        ({number: faces(1) for number in range(10)}, 1, 1, 5),
        ({number: faces(1 if number < 5 else 2) for number in range(10)}, 1, 0, 5),
        ({number: faces(1) for number in range(5)}, 1, 0, 2),
        ({2: faces(1), 9: faces(1)}, 1, 1, 0),
        ({number: faces(1) for number in range(4, 10)}, 0, 0, 0),
    ],
    ids=["one id", "another id", "lost", "found again", "unknown before"],
)
def test_an_id_is_kept_from_before_the_turn_to_after_it(published, known, kept, seen):
    result = judge_turning(published, [HEAD])

    assert (result.heads, result.known, result.kept, result.seen) == (1, known, kept, seen)


def test_only_the_portrait_never_moves(square_face):
    poses = {
        role: [pose_of(role, second / 10, square_face) for second in range(100)]
        for role in range(4)
    }

    assert len(set(poses[PORTRAIT])) == 1
    reach = {role: np.ptp([pose.x for pose in some]) for role, some in poses.items()}
    assert 2 < reach[SITTER] < 5
    assert min(reach[role] for role in (1, 3)) > 100


def test_a_blink_changes_the_eyes_and_nothing_else(square_face):
    picture = np.random.default_rng(1).integers(0, 255, (100, 80)).astype(np.uint8)
    face = replace(square_face, picture=picture, landmarks=((15.0, 20.0), (30.0, 20.0)))

    changed = blinking(face).picture != picture

    assert changed[19:22, 14:17].any()
    assert changed[19:22, 29:32].any()
    assert not changed[26:].any()
    assert not changed[:14].any()


def test_a_scene_has_four_faces_and_the_truth_of_two(tmp_path, square_face):
    path = tmp_path / "still.avi"

    scene = film_scene(path, [square_face] * 4, 1.0, seed=1)

    assert clip_seconds(path) == 1.0
    assert len(set(scene.portrait.values())) == 1
    assert len(set(scene.sitter.values())) == 10


STILL = Scene(
    dict.fromkeys(range(100), BOX), {number: Box(500.0, 100.0, 60.0, 60.0) for number in range(100)}
)


@pytest.mark.parametrize(
    ("still", "told"),
    [
        (lambda number: number > 30, 1),
        (lambda number: number < 90, 0),
        (lambda number: False, 0),
    ],
)
def test_a_portrait_is_told_when_all_of_the_end_says_so(still, told):
    published = {number: faces(1, still=still(number)) for number in range(100)}

    result = judge_still(published, STILL)

    assert (result.portraits, result.still, result.sitting) == (1, told, 0)


def test_a_person_who_sits_is_counted_by_frames():
    person = {"id": 2, "box": {"x": 500, "y": 100, "width": 60, "height": 60}}
    published = {number: [{**person, "still": number >= 90}] for number in range(100)}

    result = judge_still(published, STILL)

    assert (result.still, result.sitting, result.moving) == (0, 100, 90)


def test_nobody_is_filmed_over_ever_new_backgrounds(tmp_path):
    path = tmp_path / "nobody.avi"

    film_nobody(path, 4, seed=1)

    capture = cv2.VideoCapture(str(path))
    frames = [frame for ok, frame in iter(capture.read, (False, None)) if ok]
    assert len(frames) == 40
    changes = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(frames)]
    assert int(np.argmax(changes)) == 19
    assert min(changes) > 0


def test_photographs_are_luma():
    assert all(one.ndim == 2 and one.dtype == np.uint8 for one in photographs())


def test_tracks_are_counted_by_id():
    assert tracks({0: faces(1), 1: faces(1) + faces(2), 2: []}) == {1, 2}
