"""The annotated copy keeps time, whatever the original's frame rate does."""

import resource
import shutil
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from fer_edge.analyze._video import AnnotatedVideo, Ffmpeg, OpenCv
from fer_edge.errors import SinkError
from fer_edge.quiet import quiet_opencv
from fer_edge.types import Result


@pytest.fixture(params=["ffmpeg", "opencv"])
def write(request, tmp_path, stamp_at, monkeypatch):
    """A video of grey pictures that are shown from the given times on."""
    if request.param == "opencv":
        monkeypatch.setattr(shutil, "which", lambda _: None)

    def make(times, *, fps=30.0, size=(320, 180)):
        path = tmp_path / "out.mp4"
        video = AnnotatedVideo(path, size, fps)
        for number, time_s in enumerate(times):
            picture = np.full((size[1], size[0], 3), 10 * (number % 25), np.uint8)
            video.add(picture, Result(stamp_at(time_s)), time_s)
        video.close()
        return read(path)

    return make


def read(path):
    """Mean brightness of every frame, frames a second, size."""
    capture = quiet_opencv().VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS)
    levels, size = [], None
    while True:
        ok, image = capture.read()
        if not ok:
            return levels, fps, size
        levels.append(round(float(image.mean()) / 10))
        size = image.shape[1::-1]


def test_a_constant_rate_stays_frame_for_frame(write):
    levels, fps, _ = write([n / 30 for n in range(20)])
    assert fps == pytest.approx(30)
    assert levels == list(range(20))


def test_a_variable_rate_shows_each_frame_when_it_was(write):
    levels, fps, _ = write([0.0, 0.1, 0.5, 0.6], fps=10)
    assert fps == pytest.approx(10)
    assert levels == [0, 1, 1, 1, 1, 2, 3]


def test_more_frames_than_a_screen_shows_are_left_out(write):
    levels, fps, _ = write([n / 240 for n in range(24)], fps=240)
    assert fps == pytest.approx(60)
    assert len(levels) == 7


def test_odd_sizes_become_even(write):
    _, _, size = write([0.0, 0.1], size=(321, 181))
    assert size == (320, 180)


def test_ffmpegs_complaint_is_one_line(tmp_path):
    video = Ffmpeg(tmp_path / "none" / "out.mp4", (320, 180), 30)
    with pytest.raises(SinkError, match="--video: ffmpeg failed: "):
        write_many(video)


def write_many(video):
    for _ in range(100):
        video.write(np.zeros((180, 320, 3), np.uint8))


@contextmanager
def room_for(size):
    """No file may grow beyond so many bytes: to whoever writes one it is a disk that is full."""
    _, most = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("size", [0, 5_000, 150_000])
def test_without_ffmpeg_a_full_disk_is_one_line(size, tmp_path):
    noise = np.random.default_rng(1)
    video = OpenCv(tmp_path / "out.mp4", (320, 180), 30)
    with room_for(size):
        for _ in range(20):
            video.write(noise.integers(0, 255, (180, 320, 3), np.uint8))
        with pytest.raises(SinkError, match=r"^--video: OpenCV wrote \d+ of 20 frames; .*[^\n]$"):
            video.close()


def test_without_ffmpeg_a_single_frame_is_a_video(tmp_path):
    video = OpenCv(tmp_path / "out.mp4", (320, 180), 30)
    video.write(np.zeros((180, 320, 3), np.uint8))
    video.close()
    assert len(read(tmp_path / "out.mp4")[0]) == 1


def test_without_ffmpeg_a_file_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(SinkError, match="install ffmpeg"):
        OpenCv(tmp_path / "none" / "out.mp4", (320, 180), 30)
