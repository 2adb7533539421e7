import numpy as np
import pytest

from fer_edge.config import TrackingConfig
from fer_edge.sources._pictures import GrayPicture
from fer_edge.types import Frame
from fer_edge.vision.search import IdleRate, Search, SearchSchedule

CONFIG = TrackingConfig(search_interval_s=1.0, alert_interval_s=0.2, idle_after_s=5, idle_rate_hz=5)


@pytest.fixture
def plan():
    return SearchSchedule(CONFIG)


def searches(plan, stamp_at, moments, known):
    done = []
    for moment in moments:
        if plan.due(stamp_at(moment), known=known):
            plan.searched(stamp_at(moment))
            done.append(moment)
    return done


def test_with_nobody_known_every_frame_is_searched(plan, stamp_at):
    moments = [i / 30 for i in range(10)]
    assert searches(plan, stamp_at, moments, known=0) == moments


def test_with_everybody_held_it_is_seldom(plan, stamp_at):
    moments = [i / 30 for i in range(120)]
    assert searches(plan, stamp_at, moments, known=2) == [0.0, 1.0, 2.0, 3.0]


def test_a_clock_that_is_set_back_does_not_blind_it(plan, stamp_at, set_back):
    plan.searched(stamp_at(3600))
    assert plan.due(set_back(stamp_at(3602), 3600), known=1)
    watch = IdleRate(CONFIG)
    assert not watch.skips(stamp_at(3600))
    assert not watch.skips(stamp_at(3650))
    assert not watch.skips(set_back(stamp_at(3651), 3600)), "else nobody is seen for an hour"


def test_after_a_loss_it_is_often_for_a_while(plan, stamp_at):
    plan.searched(stamp_at(0))
    plan.lost(stamp_at(0.1))
    moments = [i / 30 for i in range(3, 150)]
    done = searches(plan, stamp_at, moments, known=1)
    assert len([m for m in done if m <= 2.1]) == 10
    assert len([m for m in done if m > 2.2]) <= 3


def looked_at(watch, stamp_at, moments, somebody=()):
    seen = []
    for moment in moments:
        if watch.skips(stamp_at(moment)):
            continue
        seen.append(moment)
        if moment in somebody:
            watch.saw_somebody(stamp_at(moment))
    return seen


def test_every_frame_is_looked_at_until_nobody_has_come_for_long(stamp_at):
    moments = [i / 30 for i in range(600)]
    seen = looked_at(IdleRate(CONFIG), stamp_at, moments)
    assert [m for m in moments if m <= 5] == [m for m in seen if m <= 5]
    assert len([m for m in seen if m > 5]) == pytest.approx(15 * 5, abs=2)


def test_the_first_face_ends_it_with_the_next_frame(stamp_at):
    watch = IdleRate(CONFIG)
    moments = [i / 30 for i in range(600)]
    idle = looked_at(watch, stamp_at, moments)
    assert idle[-1] - idle[-2] > 0.15
    later = [20 + i / 30 for i in range(60)]
    seen = looked_at(watch, stamp_at, later, somebody=later)
    first = seen[0]
    assert seen == [moment for moment in later if moment >= first]


def test_a_rate_that_does_not_divide_the_cameras_is_kept(stamp_at):
    watch = IdleRate(CONFIG.model_copy(update={"idle_rate_hz": 7.0, "idle_after_s": 1.0}))
    seen = looked_at(watch, stamp_at, [i / 30 for i in range(600)])
    assert len([m for m in seen if m > 1]) / 19 == pytest.approx(7.5, abs=0.6)


class Turning:
    """A detector with four turns that notes which were asked for."""

    turns = 4

    def __init__(self):
        self.asked = []

    def search(self, picture, known=(), turn=0):
        self.asked.append(turn)
        return []

    def search_in_parts(self, picture, known=(), turn=0):
        self.asked.append(turn)
        yield []

    def follow(self, picture, expected):
        return []


def frame(stamp_at, moment):
    return Frame(stamp_at(moment), GrayPicture(np.zeros((90, 160), np.uint8)))


def searching(detector, *, in_parts=True, gate=None):
    schedule = SearchSchedule(TrackingConfig())
    return Search(detector, schedule, gate=gate, in_parts=in_parts)


def test_while_nobody_is_in_view_every_turn_comes_as_often(stamp_at):
    detector = Turning()
    search = searching(detector)
    for number in range(8):
        search.find(frame(stamp_at, number / 10), expected=0, known=())
    assert detector.asked == [0, 1, 2, 3] * 2


def test_beside_followed_faces_two_of_three_searches_are_upright(stamp_at):
    detector = Turning()
    search = searching(detector)
    for number in range(12):
        search.find(frame(stamp_at, 2.0 * number), expected=1, known=())
    assert detector.asked == [0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 1]


def test_where_no_frame_is_to_be_missed_all_turns_are_one_search(stamp_at):
    detector = Turning()
    search = searching(detector, in_parts=False)
    search.find(frame(stamp_at, 0.0), expected=0, known=())
    assert detector.asked == [None]


def test_a_picture_that_stays_as_it_was_is_searched_in_every_turn_once(stamp_at):
    class Still:
        def changed(self, picture, known):
            return False

        def remember(self, picture):
            pass

    detector = Turning()
    search = searching(detector, gate=Still())
    for number in range(8):
        search.find(frame(stamp_at, number / 10), expected=0, known=())
    assert detector.asked == [0, 1, 2, 3]
