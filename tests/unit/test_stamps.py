"""A board without a clock battery sets its clock back while it runs."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from fer_edge.affect.turns import Turns
from fer_edge.config import TrackingConfig
from fer_edge.stamps import elapsed_s
from fer_edge.types import Affect, Box, Detection, FaceBatch
from fer_edge.vision.search import IdleRate, SearchSchedule
from fer_edge.vision.tracker import Tracker

CONFIG = TrackingConfig(confirm_hits=1, confirm_window=1)
FACE = Detection(Box(100, 100, 200, 200), 9.0)


@pytest.fixture
def set_back(stamp_at):
    """A stamp so many seconds in, by a clock that lost an hour."""

    def make(seconds):
        stamp = stamp_at(seconds)
        return replace(stamp, captured_at=stamp.captured_at - timedelta(hours=1))

    return make


def test_time_goes_by_all_the_same(stamp_at, set_back):
    assert elapsed_s(stamp_at(1), set_back(3)) == pytest.approx(2)
    assert elapsed_s(set_back(3), set_back(4)) == pytest.approx(1)


def test_a_recording_has_the_time_of_its_pictures(stamp_at):
    quick = replace(stamp_at(5), captured_ns=1)
    assert elapsed_s(stamp_at(0), quick) == pytest.approx(5)


def test_whoever_left_is_gone_in_time(stamp_at, set_back):
    tracker = Tracker(CONFIG)
    assert tracker.update([FACE], stamp_at(0))
    assert tracker.update([], set_back(0.1))
    assert not tracker.update([], set_back(1))


def test_the_next_search_comes_in_time(stamp_at, set_back):
    plan = SearchSchedule(CONFIG)
    plan.searched(stamp_at(0))
    plan.lost(stamp_at(0))
    assert plan.due(set_back(0.3), known=1)
    plan.searched(set_back(0.3))
    assert not plan.due(set_back(0.4), known=1)
    plan.searched(set_back(2.1))
    assert not plan.due(set_back(2.5), known=1), "the alert has passed too"


def test_an_empty_room_is_looked_at(stamp_at, set_back):
    """Nobody came for two hours; then the clock goes back by one."""
    watch = IdleRate(CONFIG)
    hours = 7200
    watch.skips(stamp_at(0))
    assert not watch.skips(stamp_at(hours))
    seen = [not watch.skips(set_back(hours + number / 30)) for number in range(1, 31)]
    assert sum(seen) == pytest.approx(5, abs=1)


def test_a_face_is_read_again_in_time(stamp_at, set_back):
    turns = Turns(max_faces=1, min_interval_s=0.2)
    tracks = Tracker(CONFIG).update([FACE], stamp_at(0))
    asked = []

    def classify(crops):
        asked.append(len(crops))
        return [Affect(np.full(8, 0.125, np.float32), 0.0, 0.0) for _ in crops]

    for stamp in (stamp_at(0), set_back(0.1), set_back(0.3)):
        turns.read(FaceBatch(stamp, tracks, (np.zeros((20, 20), np.uint8),)), classify)
        asked.append(stamp)
    assert asked == [1, stamp_at(0), set_back(0.1), 1, set_back(0.3)]
