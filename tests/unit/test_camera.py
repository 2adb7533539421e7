"""What is known of the camera, and its switch."""

import pytest

from fer_edge.camera import OFF, OPENING, CameraState


class Clock:
    now_ns = 1000

    def __call__(self):
        return self.now_ns


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def camera(clock):
    return CameraState(clock_ns=clock)


def told(camera):
    condition = camera.condition
    return condition.available, condition.reason, condition.since_ns


def test_it_begins_without_pictures(camera):
    assert camera.wanted
    assert told(camera) == (False, OPENING, 1000)
    assert not camera.delivers(900), "no outage was reported"
    assert told(camera) == (True, None, 900)


def test_a_loss_counts_from_its_first_reason(camera, clock):
    camera.delivers(1000)
    clock.now_ns = 2000
    assert camera.lost("stalled")
    clock.now_ns = 3000
    assert not camera.lost("stalled")
    assert camera.lost("answers 401")
    assert not camera.lost("stalled"), "known already"
    assert told(camera) == (False, "stalled", 2000)
    assert camera.delivers(4000)
    assert told(camera) == (True, None, 4000)
    assert camera.lost("stalled"), "another outage"


def test_off_is_said_at_once_and_holds_whatever_the_camera_does(camera, clock):
    camera.delivers(1000)
    clock.now_ns = 2000
    camera.turn_off()
    assert not camera.wanted
    assert told(camera) == (False, OFF, 2000)
    assert not camera.delivers(2001)
    assert not camera.lost("closed")
    camera.turn_off()
    assert told(camera) == (False, OFF, 2000)
    camera.turn_on()
    assert camera.wanted
    assert told(camera) == (False, OPENING, 2000)
    assert not camera.delivers(3000)
    camera.turn_on()
    assert told(camera) == (True, None, 3000)
