"""The thread between results and a screen, with a screen of memory."""

import logging
import threading
import time
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_edge.config import OverlayConfig, RetryConfig
from fer_edge.errors import FrameError
from fer_edge.overlay import ScreenClosedError, ScreenError
from fer_edge.sinks.overlay import OverlaySink
from fer_edge.types import Affect, Box, Emotion, Face, Frame, Result, Stamp, Track

RETRY = RetryConfig(initial_s=0.01, max_s=0.02)


class Picture:
    width, height = 320, 180

    def bgr(self, _min_width):
        return np.full((180, 320, 3), 99, np.uint8)


class BrokenPicture(Picture):
    def bgr(self, _min_width):
        raise FrameError("corrupt")


class MemoryScreen:
    name = "memory"
    size = (320, 180)
    transparent = False

    def __init__(self, fails=None):
        self.images, self.closed, self._fails = [], 0, fails

    def show(self, image):
        if self._fails is not None:
            raise self._fails
        self.images.append(image)

    def close(self):
        self.closed += 1


def stamp(seq=0):
    return Stamp(seq, time.monotonic_ns(), datetime.now(UTC), 320, 180)


def result():
    affect = Affect(np.full(8, 0.125, np.float32), 0.1, 0.2)
    track = Track(1, Box(100, 60, 60, 60), datetime.now(UTC))
    return Result(stamp(), (Face(track, Emotion.HAPPY, 0.9, affect),))


def until(condition, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def open_sink():
    made = []

    def make(open_screen, **options):
        config = OverlayConfig(screen="framebuffer", fps=60, **options)
        made.append(OverlaySink(config, open_screen, retry=RETRY))
        made[-1].start()
        return made[-1]

    yield make
    for sink in made:
        sink.close()


def warnings_in(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def test_the_newest_frame_with_the_newest_result(open_sink):
    screen = MemoryScreen()
    sink = open_sink(lambda: screen)
    sink.watch(Frame(stamp(), Picture()))
    until(lambda: screen.images)
    assert screen.images[0][90, 300].tolist() == [99, 99, 99]
    sink.put(result())
    sink.watch(Frame(stamp(1), Picture()))
    until(lambda: not (screen.images[-1][60:120, 99:101] == 99).all())


def test_boxes_only_never_asks_for_the_picture(open_sink):
    screen = MemoryScreen()
    sink = open_sink(lambda: screen, privacy="boxes")
    sink.watch(Frame(stamp(), BrokenPicture()))
    sink.put(result())
    until(lambda: len(screen.images) > 3 and screen.images[-1].any())
    assert not screen.images[-1][165:, 300:].any()


def test_a_picture_that_cannot_be_decoded_is_left_out(open_sink, caplog):
    screen = MemoryScreen()
    sink = open_sink(lambda: screen)
    sink.watch(Frame(stamp(), BrokenPicture()))
    time.sleep(0.1)
    sink.watch(Frame(stamp(1), Picture()))
    until(lambda: screen.images)
    assert warnings_in(caplog) == []


def test_without_a_picture_for_a_while_it_says_so(open_sink):
    screen = MemoryScreen()
    sink = open_sink(lambda: screen)
    old = Stamp(0, time.monotonic_ns() - 5_000_000_000, datetime.now(UTC), 320, 180)
    sink.watch(Frame(old, Picture()))
    until(lambda: screen.images)
    assert not (screen.images[-1] == 99).all(axis=2).mean() > 0.5
    assert screen.images[-1][80:100, 100:220].any()


def test_a_screen_that_is_not_there_is_one_warning_and_comes_back(open_sink, caplog):
    attempts = []
    screen = MemoryScreen()

    def open_screen():
        attempts.append(1)
        if len(attempts) < 5:
            raise ScreenError("/dev/fb0: No such file or directory")
        return screen

    caplog.set_level(logging.INFO)
    sink = open_sink(open_screen)
    sink.watch(Frame(stamp(), Picture()))
    until(lambda: screen.images)
    assert warnings_in(caplog) == [
        "overlay: /dev/fb0: No such file or directory; trying again until it works"
    ]
    assert caplog.messages[-1] == "overlay: showing on memory"


@pytest.mark.parametrize("error", [ScreenError("unplugged"), ZeroDivisionError("driver")])
def test_a_screen_that_fails_is_closed_and_opened_anew(open_sink, caplog, error):
    screens = [MemoryScreen(fails=error), MemoryScreen()]
    opened = iter(screens)
    sink = open_sink(lambda: next(opened))
    sink.watch(Frame(stamp(), Picture()))
    until(lambda: screens[1].images)
    assert screens[0].closed == 1
    assert len(warnings_in(caplog)) == 1


def test_a_window_that_a_person_closed_stays_closed(open_sink, caplog):
    opened = []

    def open_screen():
        opened.append(MemoryScreen(fails=ScreenClosedError("window: closed")))
        return opened[-1]

    sink = open_sink(open_screen)
    sink.watch(Frame(stamp(), Picture()))
    until(lambda: opened and opened[0].closed)
    for _ in range(20):
        sink.put(result())
        time.sleep(0.005)
    assert len(opened) == 1
    assert warnings_in(caplog) == []


def test_a_screen_that_hangs_delays_nobody(open_sink, caplog):
    hanging, released = threading.Event(), threading.Event()
    screen = MemoryScreen()
    screen.show = lambda _image: hanging.set() or released.wait(20)
    sink = open_sink(lambda: screen)
    started = time.monotonic()
    for seq in range(1000):
        sink.watch(Frame(stamp(seq), Picture()))
        sink.put(result())
    assert hanging.wait(4)
    sink.close()
    assert time.monotonic() - started < 5
    assert warnings_in(caplog) == ["overlay: the screen hangs; left behind"]
    released.set()


def test_closing_closes_the_screen(open_sink):
    screen = MemoryScreen()
    sink = open_sink(lambda: screen)
    sink.watch(Frame(stamp(), Picture()))
    until(lambda: screen.images)
    sink.close()
    assert screen.closed == 1


def test_one_that_was_never_started_can_be_closed():
    opened = []
    sink = OverlaySink(OverlayConfig(screen="framebuffer"), lambda: opened.append(1), retry=RETRY)
    before = threading.active_count()
    sink.close()
    assert threading.active_count() == before
    assert not opened
