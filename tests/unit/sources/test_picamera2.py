import importlib.util
import inspect
import sys
import time

import cv2
import numpy as np
import pytest
from picamera2_source import HAS_PICAMERA2, real_parameters

from fer_edge.errors import ConfigError, SourceLostError
from fer_edge.sources._pi_controls import Preparation
from fer_edge.sources.fakes import PICAMERA2_SIGNATURES, FakePicamera2, FakeRequest
from fer_edge.sources.picamera2 import PiCamera, has_csi_camera, open_camera, sensor_moment

HAS_LIBCAMERA = importlib.util.find_spec("libcamera") is not None


@pytest.fixture
def fake(bgr_frames):
    return FakePicamera2(bgr_frames)


def camera(fake, **options):
    options = {"size": (640, 360), "detect_width": 320, "stall_timeout_s": 2.0} | options
    return PiCamera(open_camera=lambda *_: fake, **options)


def test_frames_come_with_both_planes(fake, bgr_frames, difference):
    with camera(fake).open() as stream:
        frame = stream.read()
    luma = cv2.cvtColor(bgr_frames[0], cv2.COLOR_BGR2GRAY)
    assert difference(frame.picture.gray(), luma) < 1
    assert frame.picture.gray(320).shape == (180, 320)
    assert difference(frame.picture.gray(320), cv2.resize(luma, (320, 180))) < 2
    assert difference(frame.picture.bgr(), bgr_frames[0]) < 1.5
    assert (frame.stamp.width, frame.stamp.height) == (640, 360)


@pytest.mark.parametrize("size", [(600, 340), (1280, 720), (322, 242)])
def test_rows_padded_to_the_stride(bgr, size, difference):
    fake = FakePicamera2([bgr])
    with camera(fake, size=size, detect_width=160).open() as stream:
        picture = stream.read().picture
    assert fake.config["main"]["stride"] >= size[0]
    expected = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    assert picture.gray().shape == size[::-1]
    assert difference(picture.gray(), cv2.cvtColor(expected, cv2.COLOR_BGR2GRAY)) < 1
    assert difference(picture.bgr(), expected) < 2
    assert picture.gray(160).shape[1] == 160


def test_what_is_asked_of_the_camera(fake):
    with camera(fake, size=(1920, 1080), detect_width=640, fps=25).open():
        assert fake.config["main"]["size"] == (1920, 1080)
        assert fake.config["main"]["format"] == "YUV420"
        assert fake.config["lores"]["size"] == (640, 360)
        assert fake.config["lores"]["format"] == "YUV420"
        assert fake.config["controls"] == {"FrameDurationLimits": (40_000, 40_000)}


def test_no_small_stream_that_would_not_be_smaller(fake):
    with camera(fake, detect_width=640).open() as stream:
        assert fake.config["lores"] is None
        assert stream.read().picture.gray(320).shape == (360, 640)


def test_odd_sizes_become_even(fake):
    with camera(fake, size=(641, 361), detect_width=321).open():
        assert fake.config["main"]["size"] == (640, 360)
        assert fake.config["lores"]["size"] == (320, 180)


def test_every_request_is_given_back_once(fake):
    with camera(fake).open() as stream:
        for _ in range(6):
            stream.read()
    assert [request.released for request in fake.requests] == [1] * 6


def test_a_request_is_given_back_when_copying_fails(fake):
    def broken(*_):
        raise MemoryError

    with camera(fake).open() as stream:
        wait = fake.wait

        def wait_and_break(job, timeout):
            request = wait(job, timeout)
            request.make_buffer = broken
            return request

        fake.wait = wait_and_break
        with pytest.raises(MemoryError):
            stream.read()
    assert [request.released for request in fake.requests] == [1]


def test_numbers_rise_over_a_reopening(bgr_frames):
    source = PiCamera(size=(640, 360), open_camera=lambda *_: FakePicamera2(bgr_frames))
    numbers = []
    for _ in range(2):
        with source.open() as stream:
            numbers += [stream.read().stamp.seq for _ in range(3)]
    assert numbers == [0, 1, 2, 4, 5, 6], "3 is that of the message that says it was lost"


def test_a_stall_is_a_loss_and_the_camera_closes(bgr_frames):
    fake = FakePicamera2(bgr_frames[:1])
    with camera(fake).open() as stream:
        stream.read()
        with pytest.raises(SourceLostError, match=r"picamera2 camera 0: no picture for 2 s"):
            stream.read()
    assert fake.closed


def test_a_refused_configuration_is_a_loss_and_the_camera_closes():
    fake = FakePicamera2(broken="Failed to configure camera")
    with pytest.raises(SourceLostError, match=r"source\.width"), camera(fake).open():
        pass
    assert fake.closed


def test_the_sensors_time_is_the_capture_time():
    boottime_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    before = time.monotonic_ns()
    moment = sensor_moment(boottime_ns - 40_000_000)
    assert moment.captured_ns == pytest.approx(before - 40_000_000, abs=5_000_000)
    age = sensor_moment(boottime_ns).captured_at - moment.captured_at
    assert age.total_seconds() == pytest.approx(0.04, abs=0.005)


def test_without_a_sensor_time_it_is_now():
    before = time.monotonic_ns()
    assert before <= sensor_moment(None).captured_ns <= time.monotonic_ns()


def test_frames_carry_the_sensors_time(bgr):
    sensor_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 500_000_000
    before = time.monotonic_ns()
    with camera(FakePicamera2([bgr], sensor_ns=sensor_ns)).open() as stream:
        stamp = stream.read().stamp
    assert stamp.captured_ns < before - 400_000_000


@pytest.mark.skipif(HAS_PICAMERA2 and HAS_LIBCAMERA, reason="picamera2 can be imported")
def test_without_picamera2_one_line_says_how_to_get_it():
    with pytest.raises(ConfigError, match="sudo apt install python3-picamera2"), PiCamera().open():
        pass


def test_the_fakes_have_the_real_signatures():
    for name, parameters in PICAMERA2_SIGNATURES.items():
        kind, method = name.partition(":")[2].split(".")
        if kind == "IMX708" or (not hasattr(FakePicamera2, method) and kind == "Picamera2"):
            continue
        if method in {"__init__", "create_video_configuration", "camera_controls"}:
            continue
        fake = FakePicamera2 if kind == "Picamera2" else FakeRequest
        own = tuple(inspect.signature(getattr(fake, method)).parameters)
        assert own == parameters[: len(own)], name


@pytest.mark.skipif(not HAS_PICAMERA2, reason="picamera2's source is not installed")
@pytest.mark.parametrize("name", PICAMERA2_SIGNATURES)
def test_the_signatures_are_those_of_the_package(name):
    assert real_parameters(name) == PICAMERA2_SIGNATURES[name]


def test_the_fake_refuses_what_picamera2_does_not_know(fake):
    with pytest.raises(TypeError, match="colour"):
        fake.create_video_configuration(colour="none")


def test_planes_are_copies(fake):
    with camera(fake).open() as stream:
        first, second = (stream.read().picture.gray() for _ in range(2))
    assert not np.shares_memory(first, second)


@pytest.fixture
def unloadable(tmp_path, monkeypatch):
    """A picamera2 one of whose parts was compiled against another numpy."""
    (tmp_path / "picamera2.py").write_text(
        "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)


@pytest.mark.usefixtures("unloadable")
def test_a_picamera2_that_does_not_load_is_one_line(caplog):
    with pytest.raises(ConfigError, match=r"does not load \(numpy\.dtype size changed.*doctor"):
        open_camera(0, Preparation())
    assert not has_csi_camera()
    (line,) = caplog.messages
    assert line.startswith("picamera2 does not load (numpy.dtype size changed")
