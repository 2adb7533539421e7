import itertools
import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from fer_edge.camera import OFF, OPENING, CameraState
from fer_edge.sinks.mqtt.schedule import Publisher
from fer_edge.types import Emotion

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Wire:
    """Takes messages, as long as there is room."""

    def __init__(self):
        self.sent = []
        self.room = True

    def __call__(self, message):
        if self.room:
            self.sent.append((message.topic.removeprefix("p/"), json.loads(message.payload)))
            lasts = message.topic == "p/camera"
            assert (message.qos, message.retain) == (int(lasts), lasts)
        return self.room

    def take(self, topic):
        """What was sent on `topic` since the last call."""
        taken = [payload for name, payload in self.sent if name == topic]
        self.sent = [pair for pair in self.sent if pair[0] != topic]
        return taken


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def camera(clock):
    state = CameraState(clock_ns=clock)
    state.delivers(clock())
    return state


@pytest.fixture
def publisher(clock, wire, camera):
    return Publisher(
        "kitchen",
        "p",
        send=wire,
        diagnostics=lambda: {"uptime_s": clock() / 1e9},
        camera=lambda: camera.condition,
        max_rate_hz=10.0,
        diagnostics_s=10.0,
        clock_ns=clock,
        utc=lambda: START + timedelta(microseconds=clock() // 1000),
    )


def test_every_frame_with_faces_and_one_when_the_last_leaves(publisher, wire, clock, result, face):
    for faces in [(), (face(1), face(2)), (face(1),), (), (), ()]:
        clock.tick(0.2)
        publisher.put(result(*faces))
    assert [len(m["faces"]) for m in wire.take("faces")] == [2, 1, 0]


def test_nobody_ever_there_publishes_no_faces(publisher, wire, clock, result):
    for _ in range(100):
        clock.tick(0.03)
        publisher.put(result())
    assert wire.take("faces") == []


@pytest.mark.parametrize("fps", [7.0, 15.0, 30.0, 31.7, 60.0, 200.0])
def test_rate_is_limited_and_used(publisher, wire, clock, result, *, face, fps):
    jitter = random.Random(int(fps))
    for _ in range(int(20 * fps)):
        clock.tick(jitter.uniform(0.8, 1.2) / fps)
        publisher.put(result(face()))
    count = len(wire.take("faces"))
    assert count <= 20 * 1.02 * 10 + 1
    assert count >= 20 * 0.98 * min(10.0, fps) - 2


def test_leaving_waits_for_its_slot_and_is_sent_while_idle(publisher, wire, clock, result, face):
    publisher.put(result(face()))
    clock.tick(0.03)
    publisher.put(result())
    assert [len(m["faces"]) for m in wire.take("faces")] == [1]
    clock.tick(0.05)
    publisher.idle()
    assert wire.take("faces") == []
    clock.tick(0.03)
    publisher.idle()
    (left,) = wire.take("faces")
    assert (left["faces"], left["seq"], left["latency_ms"]) == ([], 1, 80.0)
    clock.tick(1)
    publisher.idle()
    assert wire.take("faces") == []


def test_leaving_is_told_even_if_the_next_face_is_already_there(
    publisher, wire, clock, result, face
):
    publisher.put(result(face(1)))
    for faces in [(), (face(2),), (face(2),), (face(2),), (face(2),), (face(2),), (face(2),)]:
        clock.tick(0.03)
        publisher.put(result(*faces))
    messages = wire.take("faces")
    assert [[f["id"] for f in m["faces"]] for m in messages] == [[1], [], [2]]
    assert [m["seq"] for m in messages] == sorted(m["seq"] for m in messages)


def test_every_presence_ends_with_exactly_one_message_without_faces(
    publisher, wire, clock, result, face
):
    """Whatever comes: no two empty messages in a row, and an empty one at the end."""
    chance = random.Random(3)
    for _ in range(3000):
        clock.tick(chance.uniform(0.001, 0.2))
        wire.room = chance.random() < 0.8
        if chance.random() < 0.2:
            publisher.idle()
        else:
            publisher.put(result(*[face()] * chance.choice([0, 0, 1, 2])))
    wire.room = True
    publisher.put(result())
    clock.tick(0.2)
    publisher.idle()
    counts = [len(m["faces"]) for m in wire.take("faces")]
    assert counts[0] > 0
    assert counts[-1] == 0
    assert (0, 0) not in itertools.pairwise(counts)


def test_state_is_told_on_a_change_only(publisher, wire, clock, result, face):
    steps = [
        ((), True),
        ((), False),
        ((face(valence=0.5),), True),
        ((face(valence=0.54),), False),
        ((face(valence=0.56),), True),
        ((face(valence=0.56, arousal=0.1),), True),
        ((face(valence=0.56, arousal=0.1), face(2)), True),
        ((face(valence=0.56, arousal=0.1, emotion=Emotion.SAD), face(2)), True),
        ((face(valence=0.56, arousal=0.1, emotion=None), face(2)), True),
        ((), True),
    ]
    for faces, told in steps:
        clock.tick(1.0)
        publisher.put(result(*faces))
        assert bool(wire.take("state")) is told, faces


def test_a_slow_drift_is_a_change(publisher, wire, clock, result, face):
    for step in range(100):
        clock.tick(1.0)
        publisher.put(result(face(valence=step / 100)))
    told = [m["valence"] for m in wire.take("state")]
    assert len(told) == pytest.approx(20, abs=2)
    assert told[-1] >= 0.94


def test_state_is_told_once_a_second_at_most_and_the_last_change_is_kept(
    publisher, wire, clock, result, face
):
    for step in range(300):
        clock.tick(0.033)
        publisher.put(result(*[face()] * (step % 3)))
    clock.tick(0.01)
    publisher.put(result(face(emotion=Emotion.FEAR)))
    told = wire.take("state")
    assert 10 <= len(told) <= 11
    clock.tick(1.0)
    publisher.idle()
    told += wire.take("state")
    assert told[-1]["emotion"] == "fear"


def test_a_change_that_was_taken_back_is_not_told(publisher, wire, clock, result, face):
    publisher.put(result(face()))
    clock.tick(0.1)
    publisher.put(result(face(emotion=Emotion.SAD)))
    clock.tick(0.1)
    publisher.put(result(face()))
    clock.tick(1)
    publisher.idle()
    assert [m["emotion"] for m in wire.take("state")] == ["happy"]


def test_no_room_costs_frames_but_neither_the_leaving_nor_the_state(
    publisher, wire, clock, result, face
):
    publisher.put(result(face()))
    wire.take("faces"), wire.take("state")
    wire.room = False
    for _ in range(10):
        clock.tick(0.2)
        publisher.put(result(face(emotion=Emotion.SAD)))
    assert publisher.dropped.count == 10
    publisher.put(result())
    for _ in range(10):
        clock.tick(0.2)
        publisher.idle()
    wire.room = True
    publisher.idle()
    assert [m["faces"] for m in wire.take("faces")] == [[]]
    assert [m["faces"] for m in wire.take("state")] == [0]
    assert publisher.dropped.count == 10


def test_nothing_from_before_the_connection(publisher, wire, clock, result, face):
    before = result(face())
    clock.tick(0.1)
    publisher.connected(clock())
    publisher.put(before)
    assert wire.take("faces") == wire.take("state") == []
    publisher.put(result(face()))
    assert [m["seq"] for m in wire.take("faces")] == [1]


def test_what_waits_is_forgotten_at_a_reconnect(publisher, wire, clock, result, face):
    publisher.put(result(face()))
    clock.tick(0.01)
    publisher.put(result())
    wire.take("faces"), wire.take("state")
    publisher.connected(clock() + 1)
    clock.tick(5)
    publisher.idle()
    assert wire.take("faces") == wire.take("state") == []
    # The next frame tells both: that nobody is there, as of now.
    publisher.put(result())
    assert [(m["seq"], m["faces"]) for m in wire.take("faces")] == [(2, [])]
    assert [(m["seq"], m["faces"]) for m in wire.take("state")] == [(2, 0)]


def test_the_same_state_is_told_anew_after_a_reconnect(publisher, wire, clock, result, face):
    publisher.put(result(face()))
    clock.tick(1)
    publisher.connected(clock())
    publisher.put(result(face()))
    assert [m["seq"] for m in wire.take("state")] == [0, 1]


def test_the_state_is_repeated_on_request(publisher, wire, clock, result, face):
    for _ in range(3):
        publisher.put(result(face()))
        clock.tick(1)
    publisher.repeat_state()
    for _ in range(3):
        publisher.put(result(face()))
        clock.tick(1)
    assert [m["seq"] for m in wire.take("state")] == [0, 3]


def test_diagnostics_at_once_and_then_every_ten_seconds(publisher, wire, clock):
    publisher.connected(clock())
    for _ in range(1201):
        publisher.idle()
        clock.tick(0.1)
    told = wire.take("diagnostics")
    assert len(told) == 13
    assert told[1]["uptime_s"] - told[0]["uptime_s"] == pytest.approx(10.0)


def test_latency_to_publishing_is_measured(publisher, clock, result, face):
    one = result(face())
    clock.tick(0.025)
    publisher.put(one)
    assert publisher.latency.summary_ms()["p50"] == 25.0


def test_at_the_end_what_waits_is_sent_whatever_the_rate(publisher, wire, clock, result, face):
    publisher.put(result(face(1)))
    clock.tick(0.01)
    publisher.put(result())
    assert [len(m["faces"]) for m in wire.take("faces")] == [1]
    assert [m["faces"] for m in wire.take("state")] == [1]
    publisher.flush()
    publisher.flush()
    assert [len(m["faces"]) for m in wire.take("faces")] == [0]
    assert [m["faces"] for m in wire.take("state")] == [0]


def test_a_lost_camera_is_told_once_and_is_no_empty_room(
    publisher, wire, clock, result, *, face, camera
):
    publisher.put(result(face()))
    wire.take("camera"), wire.take("faces"), wire.take("state")
    clock.tick(0.5)
    camera.lost("unplugged")
    publisher.put(result(lost=True))
    for _ in range(20):
        clock.tick(0.25)
        publisher.idle()
    (told,) = wire.take("camera")
    assert (told["available"], told["reason"]) == (False, "unplugged")
    assert told["since"] == "2026-01-01T12:16:40.500Z"
    assert [m["faces"] for m in wire.take("faces")] == [None]
    (state,) = wire.take("state")
    assert [state[key] for key in ("seq", "faces", "emotion", "valence")] == [None] * 4


def test_a_picture_from_before_the_loss_comes_too_late(
    publisher, wire, clock, result, *, face, camera
):
    before = result(face())
    camera.lost("unplugged")
    publisher.put(before)
    assert wire.take("faces") == []
    clock.tick(1)
    camera.delivers(clock())
    publisher.put(before)
    assert wire.take("faces") == []
    publisher.put(result(face()))
    assert len(wire.take("faces")) == 1


def test_a_room_that_is_empty_when_the_camera_is_back_is_told(
    publisher, wire, clock, result, camera
):
    publisher.put(result())
    clock.tick(1)
    camera.lost("unplugged")
    publisher.put(result(lost=True))
    clock.tick(1)
    camera.delivers(clock())
    for _ in range(3):
        publisher.put(result())
        clock.tick(1)
    assert [m["faces"] for m in wire.take("faces")] == [None, []]
    assert [m["faces"] for m in wire.take("state")] == [0, None, 0]
    assert [m["available"] for m in wire.take("camera")] == [True, False, True]


def test_each_reason_is_told_and_the_time_of_the_loss_stays(publisher, wire, clock, camera):
    publisher.idle()
    wire.take("camera")
    for reason in ("stalled", "unplugged", "unplugged", "stalled"):
        camera.lost(reason)
        publisher.idle()
        clock.tick(1)
    told = wire.take("camera")
    assert [m["reason"] for m in told] == ["stalled", "unplugged", "stalled"]
    assert len({m["since"] for m in told}) == 1


def test_a_subscriber_that_comes_while_there_are_no_pictures(publisher, wire, clock, camera):
    camera.lost("unplugged")
    for _ in range(2):
        publisher.connected(clock())
        publisher.idle()
        assert [m["reason"] for m in wire.take("camera")] == ["unplugged"]
        assert [m["faces"] for m in wire.take("state")] == [None]
        clock.tick(1)
    publisher.repeat_state()
    publisher.idle()
    assert [m["faces"] for m in wire.take("state")] == [None]


def test_without_room_the_camera_is_told_later(publisher, wire, camera):
    wire.room = False
    publisher.idle()
    camera.turn_off()
    publisher.idle()
    wire.room = True
    publisher.idle()
    camera.turn_on()
    publisher.idle()
    assert [m["reason"] for m in wire.take("camera")] == [OFF, OPENING]
