from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from fer_edge.affect.turns import Turns, averaged
from fer_edge.types import Affect, Box, FaceBatch, Track

READING = Affect(np.full(8, 0.125, np.float32), 0.0, 0.0)


def tracks(count):
    since = datetime(2026, 1, 1, tzinfo=UTC)
    return [Track(number + 1, Box(0, 0, 100, 100), since) for number in range(count)]


def crops(count, level=100):
    return [np.full((100, 100), level, np.uint8) for _ in range(count)]


class Frames:
    """Feeds frames at 30 a second; says which faces were read."""

    def __init__(self, turns, stamp_at):
        self.turns, self.stamp_at, self.number = turns, stamp_at, 0

    def show(self, people, pictures=None):
        stamp = self.stamp_at(self.number / 30)
        self.number += 1
        pictures = pictures or crops(len(people))
        shown = []

        def classify(views):
            shown.extend(views)
            return [READING for _ in views]

        batch = FaceBatch(stamp, tuple(people), tuple(pictures))
        self.published = [track.id for track, _ in self.turns.read(batch, classify)]
        return [
            person.id
            for person, picture in zip(people, pictures, strict=True)
            if any(np.shares_memory(view, picture) for view in shown)
        ]


@pytest.fixture
def make(stamp_at):
    return lambda **options: Frames(Turns(**options), stamp_at)


def test_a_face_that_has_not_changed_waits_for_the_interval(make):
    frames = make(max_faces=4, min_interval_s=0.2)
    people = tracks(1)
    assert [bool(frames.show(people)) for _ in range(13)] == [i % 6 == 0 for i in range(13)]
    assert frames.published == [1]


def test_a_face_that_changes_is_read_at_once(make):
    frames = make(max_faces=4, min_interval_s=10)
    people = tracks(2)
    frames.show(people)
    assert frames.show(people) == []
    assert frames.show(people, [crops(1)[0], crops(1, level=120)[0]]) == [2]


def test_a_face_that_changes_all_the_time_is_read_in_every_other_frame(make):
    frames = make(max_faces=4, min_interval_s=10, changed_interval_s=0.05)
    people = tracks(1)
    read = [bool(frames.show(people, crops(1, level=20 * i + 20))) for i in range(9)]
    assert read == [True, False] * 4 + [True]
    assert frames.published == [1]


def test_the_longer_interval_alone_counts_where_it_is_the_shorter(make):
    frames = make(max_faces=4, min_interval_s=0, changed_interval_s=10)
    assert [frames.show(tracks(1)) for _ in range(3)] == [[1]] * 3


def test_noise_is_no_change(make):
    frames = make(max_faces=1, min_interval_s=10)
    random = np.random.default_rng(1)
    noisy = [
        [np.clip(random.normal(100, 8, (100, 100)), 0, 255).astype(np.uint8)] for _ in range(9)
    ]
    assert [bool(frames.show(tracks(1), picture)) for picture in noisy] == [True] + [False] * 8


def test_ten_people_are_read_in_turn_and_nobody_waits_long(make):
    frames = make(max_faces=4, min_interval_s=0)
    people = tracks(10)
    rounds = [frames.show(people) for _ in range(40)]
    assert {len(read) for read in rounds} == {4}
    for person in people:
        turns = [number for number, read in enumerate(rounds) if person.id in read]
        assert max(later - earlier for earlier, later in pairwise(turns)) <= 3


def test_whoever_was_never_read_is_not_published(make):
    frames = make(max_faces=2, min_interval_s=0)
    frames.show(tracks(3))
    assert frames.published == [1, 2]
    frames.show(tracks(3))
    assert frames.published == [1, 2, 3]


def test_whoever_left_is_forgotten(make):
    frames = make(max_faces=2, min_interval_s=10)
    frames.show(tracks(1))
    frames.show([])
    assert frames.show(tracks(1)) == [1]


def test_a_face_that_is_not_seen_is_not_read_from_what_is_behind_it(make):
    frames = make(max_faces=4, min_interval_s=0)
    (present,) = tracks(1)
    gone = replace(present, seen=False)
    assert frames.show([gone]) == []
    assert frames.published == []
    assert frames.show([present]) == [1]
    assert frames.show([gone], crops(1, level=200)) == []
    assert frames.published == [1]


def told(turns, stamp, value):
    """What is told of one face that is read as `value`; whether it was read mirrored."""
    people, pictures = tracks(1), [np.tile(np.arange(100, dtype=np.uint8), (100, 1))]
    views = []

    def classify(crops):
        views.extend(crops)
        return [Affect(np.array([1 - value, value, 0, 0, 0, 0, 0, 0], np.float32), value, -value)]

    ((_, affect),) = turns.read(FaceBatch(stamp, tuple(people), tuple(pictures)), classify)
    (view,) = views
    mirrored = not np.array_equal(view, pictures[0])
    assert affect.valence == -affect.arousal == pytest.approx(affect.probabilities[1])
    return pytest.approx(affect.valence), mirrored


def test_two_readings_the_two_ways_round_are_averaged(stamp_at):
    turns = Turns(max_faces=4, min_interval_s=0.2)
    values = [0.2, 0.6, 0.2, 0.6, 0.8]
    seen = [told(turns, stamp_at(0.2 * i), value) for i, value in enumerate(values)]
    assert seen == [(0.2, False), (0.4, True), (0.4, False), (0.4, True), (0.7, False)]


def test_a_reading_long_after_the_last_stands_alone(stamp_at):
    turns = Turns(max_faces=4, min_interval_s=0.2)
    seen = [told(turns, stamp_at(at), value) for at, value in ((0, 0.2), (0.2, 0.6), (1, 0.8))]
    assert seen == [(0.2, False), (0.4, True), (0.8, False)]
    assert told(turns, stamp_at(1.2), 0.6) == (0.7, True)


def test_without_mirror_each_reading_stands_alone(stamp_at):
    turns = Turns(max_faces=4, min_interval_s=0.2, mirror=False)
    seen = [told(turns, stamp_at(0.2 * i), value) for i, value in enumerate((0.2, 0.6, 0.8))]
    assert seen == [(0.2, False), (0.6, False), (0.8, False)]


def test_a_mean_is_calibrated_by_the_temperature_of_the_card() -> None:
    first = np.array([0.8, 0.2, 0, 0, 0, 0, 0, 0], np.float32)
    second = np.array([0.4, 0.6, 0, 0, 0, 0, 0, 0], np.float32)
    one, other = Affect(first, 0.2, 0.4), Affect(second, 0.4, 0.0)
    # The mean is .6 and .4; its square, normalised, .36 / .52.
    told = averaged(one, other, 0.5)
    assert told.probabilities[0] == pytest.approx(0.36 / 0.52, abs=1e-5)
    assert (told.valence, told.arousal) == pytest.approx((0.3, 0.2))
    assert not told.probabilities.flags.writeable
    assert averaged(one, other, 1.0).probabilities[0] == pytest.approx(0.6)
