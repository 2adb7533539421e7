"""Which frames a known face is looked for in."""

from datetime import UTC, datetime, timedelta

import pytest

from fer_edge.types import Box, Detection, Stamp
from fer_edge.vision.pace import Pace

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def stamp(milliseconds):
    return Stamp(
        milliseconds,
        milliseconds * 1_000_000,
        BEGIN + timedelta(milliseconds=milliseconds),
        1920,
        1080,
    )


def face(x=100.0):
    return Detection(Box(x, 100.0, 200.0, 200.0), 1.0)


@pytest.mark.parametrize(
    ("step_ms", "looks"), [(33, [0, 66, 132, 198]), (16, [0, 64, 128, 192]), (67, [0, 67, 134])]
)
def test_a_steady_face_is_looked_for_twenty_times_a_second_at_most(step_ms, looks):
    pace, looked = Pace(), []
    for now in range(0, 200, step_ms):
        if not pace.rests(1, stamp(now)):
            looked.append(now)
            pace.looked([face()], [face()], stamp(now))
    assert looked == looks


@pytest.mark.parametrize("found", [[], [face(160.0)]], ids=["lost", "elsewhere"])
def test_a_face_that_is_lost_or_elsewhere_is_looked_for_in_the_next_frame(found):
    pace = Pace()
    pace.looked([face()], found, stamp(0))
    assert not pace.rests(1, stamp(33))


def test_another_number_of_faces_is_looked_for():
    pace = Pace()
    pace.looked([face()], [face()], stamp(0))
    assert pace.rests(1, stamp(33))
    assert not pace.rests(2, stamp(33))


def test_nobody_rests_before_the_first_look_nor_after_a_reset():
    pace = Pace()
    assert not pace.rests(1, stamp(0))
    pace.looked([face()], [face()], stamp(0))
    pace.reset()
    assert not pace.rests(1, stamp(33))
