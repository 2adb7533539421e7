import struct
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge.config import AutoSource
from fer_edge.errors import SourceLostError
from fer_edge.sources import open_source
from fer_edge.sources._devices import (
    STREAMING,
    VIDEO_CAPTURE,
    VIDEO_CAPTURE_MPLANE,
    Capability,
    first_camera,
    parse_capability,
    query,
)
from fer_edge.sources.fakes import FakeCapture
from fer_edge.sources.v4l2 import V4l2Camera

MJPG = cv2.VideoWriter.fourcc(*"MJPG")
YUYV = cv2.VideoWriter.fourcc(*"YUYV")
NV12 = cv2.VideoWriter.fourcc(*"NV12")
CAMERA = VIDEO_CAPTURE | STREAMING


def raw(data):
    """Undecoded bytes as OpenCV hands them out."""
    return np.frombuffer(data, np.uint8).reshape(1, -1)


def camera(capture, **options):
    options = {"device": "/dev/null", "size": (640, 360), "stall_timeout_s": 0.2} | options
    return V4l2Camera(open_capture=lambda _: capture, **options)


def granting(frames, fourcc, size=(640, 360), **more):
    granted = {
        cv2.CAP_PROP_FOURCC: fourcc,
        cv2.CAP_PROP_FRAME_WIDTH: size[0],
        cv2.CAP_PROP_FRAME_HEIGHT: size[1],
    }
    return FakeCapture(frames, granted=granted | more)


def test_motion_jpeg_is_taken_undecoded(jpeg, bgr, difference):
    capture = granting([raw(jpeg)], MJPG)
    with camera(capture).open() as stream:
        picture = stream.read().picture
    assert (picture.width, picture.height) == (640, 360)
    assert picture.gray(160).shape == (90, 160)
    assert difference(picture.bgr(), bgr) < 3
    assert (cv2.CAP_PROP_CONVERT_RGB, 0.0) in capture.settings
    assert (cv2.CAP_PROP_BUFFERSIZE, 1.0) in capture.settings
    assert capture.settings[0] == (cv2.CAP_PROP_FOURCC, float(MJPG))
    assert capture.released


def test_without_motion_jpeg_luma_comes_from_yuyv(bgr, caplog, difference):
    data = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_YUYV)
    with camera(granting([data], YUYV)).open() as stream:
        picture = stream.read().picture
    assert np.array_equal(picture.gray(), data[:, :, 0])
    assert difference(picture.bgr(), bgr) < 8
    assert "no Motion JPEG, only YUYV" in caplog.text


def test_another_format_is_converted_by_opencv(bgr):
    capture = granting([bgr.copy()], NV12)
    with camera(capture).open() as stream:
        assert np.array_equal(stream.read().picture.bgr(), bgr)
    assert (cv2.CAP_PROP_CONVERT_RGB, 1.0) in capture.settings


def test_a_camera_may_grant_another_size(jpeg):
    with camera(granting([raw(jpeg)], MJPG), size=(1920, 1080)).open() as stream:
        stamp = stream.read().stamp
    assert (stamp.width, stamp.height) == (640, 360)


def test_broken_first_frames_are_passed_over(jpeg):
    frames = [raw(jpeg[:500]), raw(bytes(3000)), raw(jpeg), raw(jpeg)]
    with camera(granting(frames, MJPG)).open() as stream:
        assert [stream.read().stamp.seq for _ in range(2)] == [0, 1]


def test_a_camera_that_sends_only_rubbish_is_lost(jpeg):
    def rubbish():
        while True:
            time.sleep(0.01)
            yield raw(jpeg[:500])

    lost = pytest.raises(SourceLostError, match=r"/dev/null: no picture for 0\.2 s")
    with lost, camera(granting(rubbish(), MJPG)).open() as stream:
        stream.read()


def test_the_kernels_time_is_the_capture_time(jpeg):
    taken_ms = time.monotonic() * 1000 - 80
    capture = granting([raw(jpeg)], MJPG)
    capture.set(cv2.CAP_PROP_POS_MSEC, taken_ms)
    with camera(capture).open() as stream:
        assert stream.read().stamp.captured_ns == pytest.approx(taken_ms * 1e6, abs=1000)


@pytest.mark.parametrize("impossible_ms", [0.0, -1.0, 1.7e12])
def test_a_time_of_another_clock_is_not_taken(jpeg, impossible_ms):
    capture = granting([raw(jpeg)], MJPG)
    capture.set(cv2.CAP_PROP_POS_MSEC, impossible_ms)
    before = time.monotonic_ns()
    with camera(capture).open() as stream:
        assert before <= stream.read().stamp.captured_ns <= time.monotonic_ns()


def test_an_absent_device():
    source = V4l2Camera("/dev/video-none")
    with pytest.raises(SourceLostError, match="/dev/video-none: no such device"), source.open():
        pass


def test_a_device_that_is_no_camera(tmp_path):
    file = tmp_path / "video0"
    file.touch()
    with (
        pytest.raises(SourceLostError, match="not a camera, or busy"),
        V4l2Camera(str(file)).open(),
    ):
        pass


def test_an_unplugged_camera(tmp_path, jpeg):
    device = tmp_path / "video0"
    device.touch()
    with camera(granting([raw(jpeg)], MJPG), device=str(device)).open() as stream:
        stream.read()
        device.unlink()
        with pytest.raises(SourceLostError, match="was unplugged"):
            stream.read()


def test_a_camera_that_stops(jpeg):
    with camera(granting([raw(jpeg), None], MJPG)).open() as stream:
        stream.read()
        with pytest.raises(SourceLostError, match="the camera stopped; check its cable"):
            stream.read()


def test_what_a_device_says_of_itself():
    data = struct.pack(
        "16s32s32sIII12x", b"uvcvideo", b"HD Webcam", b"usb-1", 6, 0x84A00001, 0x04200001
    )
    found = parse_capability(data)
    assert found == Capability("uvcvideo", "HD Webcam", 0x04200001)
    assert found.is_camera


@pytest.mark.parametrize(
    ("driver", "flags"),
    [
        ("uvcvideo", 0x04A00000),  # the metadata node beside every USB camera
        ("uvcvideo", VIDEO_CAPTURE),  # no streaming
        ("bcm2835-codec", 0x04004000),
        ("bcm2835-isp", CAMERA),
        ("unicam", CAMERA),
        ("rp1-cfe", CAMERA),
        ("pispbe", VIDEO_CAPTURE_MPLANE | STREAMING),
    ],
)
def test_devices_that_are_no_cameras(driver, flags):
    assert not Capability(driver, "", flags).is_camera


@pytest.mark.parametrize("driver", ["uvcvideo", "bm2835 mmal", "unicam2"])
def test_a_driver_that_only_resembles_one_of_the_boards_has_cameras(driver):
    assert Capability(driver, "", CAMERA).is_camera


def test_something_else_than_a_video_device_says_nothing():
    assert query(Path("/dev/null")) is None
    assert query(Path("/dev/video-none")) is None


def test_the_first_camera_by_its_lasting_name(tmp_path):
    by_id = tmp_path / "v4l" / "by-id"
    by_id.mkdir(parents=True)
    nodes = ["video0", "video2", "video10", "v4l/by-id/usb-a-index1", "v4l/by-id/usb-a-index0"]
    for node in [*nodes, "videodev", "vcsa"]:
        (tmp_path / node).touch()
    asked = []

    def only(*cameras):
        def ask(device):
            asked.append(str(device.relative_to(tmp_path)))
            return Capability("uvcvideo", "", CAMERA if asked[-1] in cameras else 0)

        return ask

    lasting = "v4l/by-id/usb-a-index0"
    assert first_camera(tmp_path, only(lasting, "video0")) == str(tmp_path / lasting)
    assert first_camera(tmp_path, only("video10", "video2")) == str(tmp_path / "video2")
    asked.clear()
    assert first_camera(tmp_path, only()) is None
    assert asked == [lasting, "v4l/by-id/usb-a-index1", "video0", "video2", "video10"]
    assert first_camera(tmp_path / "none") is None


@pytest.mark.skipif(first_camera() is not None, reason="this machine has a camera")
def test_without_a_camera_one_line_says_what_to_do():
    source = open_source(AutoSource())
    with pytest.raises(SourceLostError, match="--source demo") as raised, source.open():
        pass
    assert "\n" not in str(raised.value)
