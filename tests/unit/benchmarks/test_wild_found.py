import cv2
import pytest
from measure.wild.boxes import box_row, summary
from measure.wild.faces import close_faces, face_in, reference_detector, with_surroundings
from measure.wild.film import Program
from measure.wild.found import (
    SHOWN,
    Answer,
    Condition,
    Shown,
    conditions,
    film_faces,
    judge,
    overlapping,
    share_found,
    share_right,
)
from measure.wild.rows import TARGETS, found_row, read_rows
from measure.wild.scene import Look

from fer_edge.types import EMOTIONS, Box


def message(box, emotion="happy", **more):
    values = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    probabilities = {str(one): 0.9 if one == emotion else 0.01 for one in EMOTIONS}
    return {"id": 1, "box": values, "probabilities": probabilities, **more}


BOX = Box(100.0, 100.0, 60.0, 60.0)
ELSEWHERE = Box(145.0, 100.0, 60.0, 60.0)


@pytest.fixture
def shown(square_face):
    return Shown(square_face, 5, BOX, 0.0, square_face.picture)


@pytest.mark.parametrize(
    ("number", "box", "found"),
    [
        (5, BOX, True),
        (5 + SHOWN - 1, BOX, True),
        (4, BOX, False),
        (5 + SHOWN, BOX, False),
        (5, ELSEWHERE, False),
    ],
)
def test_a_face_is_found_while_and_where_it_is_in_view(shown, number, box, found):
    (answer,) = judge({number: [message(box)]}, [shown])

    assert answer.found == found


def test_the_last_message_is_the_reading(shown):
    published = {6: [message(BOX, "sad")], 7: [message(ELSEWHERE, "fear"), message(BOX, "happy")]}

    (answer,) = judge(published, [shown])

    assert answer.right
    assert not judge({6: [message(BOX, "sad")]}, [shown])[0].right


def test_the_box_that_overlaps_most_is_the_face():
    near = message(Box(110.0, 100.0, 60.0, 60.0), id=7)

    assert overlapping([message(Box(125.0, 100.0, 60.0, 60.0)), near], BOX)["id"] == 7
    assert overlapping([], BOX) is None


def test_shares_are_of_all_and_of_those_found(shown):
    answers = judge({5: [message(BOX)]}, [shown]) + judge({}, [shown])

    assert share_found(answers) == 0.5
    assert share_right(answers) == 1.0
    assert share_right(judge({}, [shown])) is None


def test_a_film_shows_each_face_in_its_frames(tmp_path, square_face):
    path = tmp_path / "faces.avi"
    condition = Condition("close", "tilt 0°", Look(), 100.0)

    shown = film_faces(path, [square_face] * 3, condition, seed=1, gap=2)

    assert [one.first for one in shown] == [2, 12, 22]
    capture = cv2.VideoCapture(str(path))
    frames = [
        cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        for ok, frame in iter(capture.read, (False, None))
        if ok
    ]
    assert len(frames) == 3 * (2 + SHOWN)
    for number, frame in enumerate(frames):
        for one in shown:
            inside = frame[
                round(one.box.y) : round(one.box.y) + 30, round(one.box.x) : round(one.box.x) + 30
            ]
            assert (inside[5:-5, 5:-5].min() > 240) == (one.first <= number < one.first + SHOWN)


def test_successive_faces_lie_on_different_sides(tmp_path, square_face):
    condition = Condition("close", "tilt 30°", Look(tilt=30), 300.0)

    shown = film_faces(tmp_path / "faces.avi", [square_face] * 4, condition, seed=1, gap=0)

    assert [one.box.x > 960 for one in shown] == [True, False, True, False]
    assert sorted(one.tilt for one in shown) == [-30, -30, 30, 30]


def test_the_program_finds_a_portrait(tmp_path):
    astronaut = pytest.importorskip("skimage.data").astronaut()
    picture = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    face = with_surroundings(face_in(picture, "astronaut", reference_detector()), 0.6)
    condition = next(one for one in conditions("whole") if one.name == "tilt 0°")
    video = tmp_path / "faces.avi"

    shown = film_faces(video, [face], condition, seed=1, gap=2)
    (answer,) = judge(Program().publish(video), shown)

    assert shown[0].box.width == pytest.approx(220)
    assert answer.found
    row = box_row(answer, "upright")
    assert abs(row["across"]) < 0.1
    assert abs(row["down"]) < 0.1
    assert row["scale"] == pytest.approx(1, abs=0.2)


def test_a_box_is_described_in_the_axes_of_the_face(square_face):
    shown = Shown(square_face, 0, BOX, 90.0, square_face.picture)
    # 6 px to the right of the true box, which is upwards for a head that lies on its right.
    answer = Answer(shown, message(Box(106.0, 100.0, 60.0, 60.0), angle=85.0))

    row = box_row(answer, "lying")

    assert (row["across"], row["down"]) == pytest.approx((0.0, -0.1))
    assert (row["scale"], row["angle"]) == (1.0, -5.0)
    assert summary([row])[0][:2] == ("lying", "1")


@pytest.mark.parametrize("detector", TARGETS)
@pytest.mark.parametrize("kind", ["close", "whole"])
def test_every_promise_has_its_row(shown, detector, kind):
    answers = judge({5: [message(BOX)]}, [shown])
    rows = [found_row(kind, one.name, answers, TARGETS[detector]) for one in conditions(kind)]

    promised = 5 if kind == "close" else 6
    assert sum(row.passed is True for row in rows) == promised
    missed = [
        found_row(kind, one.name, judge({}, [shown]), TARGETS[detector]) for one in conditions(kind)
    ]
    assert sum(row.passed is False for row in missed) == promised


def test_readings_are_compared_with_upright_ones(shown):
    right, wrong = judge({5: [message(BOX)]}, [shown]), judge({5: [message(BOX, "sad")]}, [shown])
    close = {"tilt 0°": right * 4, "tilt 15°": right * 3 + wrong, "tilt 45°": right * 4}

    rows = read_rows(close, TARGETS["viola_jones"])

    assert [row.passed for row in rows] == [None, False, True]
    assert rows[1].measured == "0.75 (0.75 of 4)"


@pytest.mark.data
def test_pictures_of_the_web_are_drawn_by_the_seed(data):
    first, again, other = (close_faces(data, 3, seed) for seed in (1, 1, 2))

    assert [face.name for face in first] == [face.name for face in again]
    assert [face.name for face in first] != [face.name for face in other]
    assert all(face.emotion is not None for face in first)
