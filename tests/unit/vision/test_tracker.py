import pytest

from fer_edge.config import TrackingConfig
from fer_edge.types import Box, Detection
from fer_edge.vision.tracker import Tracker

STILL = Box(100, 100, 200, 200)
ELSEWHERE = Box(1000, 300, 200, 200)


@pytest.fixture
def config():
    return TrackingConfig(confirm_hits=3, confirm_window=5, lost_after_s=0.5, iou=0.3)


@pytest.fixture
def follow(config, stamp_at):
    """Feeds frames at 10 a second; each is a list of boxes."""
    tracker = Tracker(config)
    frames = iter(range(10_000))

    def step(*boxes):
        seq = next(frames)
        detections = [Detection(box, 10.0) for box in boxes]
        return tracker.update(detections, stamp_at(seq / 10, seq=seq))

    return step


def test_a_clock_that_is_set_back_leaves_no_ghost(config, stamp_at, set_back):
    tracker = Tracker(config)
    for seq in range(5):
        assert tracker.update([Detection(STILL, 10.0)], stamp_at(3600 + seq / 10)) or seq < 2
    assert tracker.update([], set_back(stamp_at(3600.6), 3600)), "not yet gone"
    assert tracker.update([], set_back(stamp_at(3601.5), 3600)) == ()


def test_a_face_is_confirmed_after_n_detections(follow):
    assert [len(follow(STILL)) for _ in range(4)] == [0, 0, 1, 1]


def test_a_one_frame_false_face_is_never_reported(follow):
    seen = [follow(STILL), *[follow() for _ in range(10)]]
    assert not any(seen)


def test_n_of_m_allows_gaps(follow):
    boxes = [(STILL,), (), (STILL,), (), (STILL,)]
    assert [len(follow(*frame)) for frame in boxes] == [0, 0, 0, 0, 1]


def test_n_of_more_than_m_is_not_enough(follow):
    pattern = [(STILL,), (), (), (STILL,), (), ()] * 5
    assert not any(follow(*frame) for frame in pattern)


def test_ids_stay_while_faces_move_and_cross_nothing(follow):
    ids = set()
    for step in range(30):
        left = Box(100 + step * 20, 100, 200, 200)
        right = Box(1200 - step * 10, 600, 250, 250)
        ids |= {(track.id, track.box.width > 210) for track in follow(left, right)}
    assert ids == {(1, False), (2, True)}


def test_a_missed_detection_keeps_the_face_and_its_id(follow):
    for _ in range(3):
        follow(STILL)
    kept = [follow() for _ in range(3)]
    assert [[track.id for track in tracks] for tracks in kept] == [[1], [1], [1]]
    assert [track.id for track in follow(STILL)] == [1]


def test_a_face_that_left_is_gone_and_comes_back_as_another(follow):
    for _ in range(3):
        follow(STILL)
    later = [len(follow()) for _ in range(8)]
    assert later == [1, 1, 1, 1, 1, 0, 0, 0]
    again = [[track.id for track in follow(STILL)] for _ in range(3)]
    assert again == [[], [], [2]]


def test_since_is_the_first_frame_in_which_it_was_seen(follow, stamp_at):
    for _ in range(2):
        follow(STILL)
    (track,) = follow(STILL)
    assert track.since == stamp_at(0).captured_at


def test_nobody_has_been_seen_since_a_time_that_is_yet_to_come(config, stamp_at, set_back):
    """The clock is set back by an hour while a face is in view."""
    tracker = Tracker(config)
    for tenth in range(10):
        tracker.update([Detection(STILL, 10.0)], stamp_at(3600 + tenth / 10))
    for tenth in range(10, 20):
        stamp = set_back(stamp_at(3600 + tenth / 10), 3600)
        (track,) = tracker.update([Detection(STILL, 10.0)], stamp)
        assert track.since == set_back(stamp_at(3600), 3600).captured_at


def test_the_box_follows_with_less_tremble(follow):
    for step in range(12):
        jitter = 10 if step % 2 else -10
        tracks = follow(Box(100 + jitter, 100, 200, 200))
    assert abs(tracks[0].box.x - 100) < 5


def test_two_detections_never_share_a_track(follow):
    twin = Box(110, 100, 200, 200)
    for _ in range(4):
        tracks = follow(STILL, twin)
    assert len({track.id for track in tracks}) == 2


def test_reset_forgets(config, stamp_at):
    tracker = Tracker(config)
    for step in range(3):
        tracker.update([Detection(STILL, 1.0)], stamp_at(step / 10))
    tracker.reset()
    assert tracker.update([Detection(STILL, 1.0)], stamp_at(0.4)) == ()


def test_a_clock_that_steps_back_loses_nothing(config, stamp_at):
    tracker = Tracker(config)
    for step in range(3):
        tracker.update([Detection(STILL, 1.0)], stamp_at(1000 + step / 10))
    assert len(tracker.update([], stamp_at(5))) == 1


def test_a_fast_face_keeps_its_id_over_a_pause(config, stamp_at):
    """The detector was busy for 0.4 s, in which the face moved further than it is wide."""
    tracker = Tracker(config)
    moments = [i / 30 for i in range(15)] + [0.9, 0.93, 0.96]
    ids = set()
    for moment in moments:
        box = Box(100 + 600 * moment, 100, 200, 200)
        ids |= {track.id for track in tracker.update([Detection(box, 1.0)], stamp_at(moment))}
    assert ids == {1}


def test_a_face_that_jumps_within_reach_is_the_same(follow):
    for _ in range(3):
        follow(STILL)
    near = Box(STILL.x + 150, STILL.y, STILL.width, STILL.height)
    assert [track.id for track in follow(near)] == [1]


def test_a_face_elsewhere_or_of_another_size_is_another(follow):
    for _ in range(3):
        follow(STILL)
    large = Box(0, 0, 900, 900)
    for _ in range(3):
        tracks = follow(ELSEWHERE, large)
    assert sorted(track.id for track in tracks) == [1, 2, 3]


def test_a_missed_face_goes_on_moving(follow):
    for step in range(10):
        follow(Box(100 + step * 20, 100, 200, 200))
    (track,) = follow()
    assert track.box.x == pytest.approx(300, abs=15)


def test_a_face_says_whether_it_was_seen_in_this_frame(follow):
    for _ in range(3):
        follow(STILL)
    assert [follow(*boxes)[0].seen for boxes in [(STILL,), (), (STILL,)]] == [True, False, True]
