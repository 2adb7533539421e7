"""Network cameras: real ones of ffmpeg and of `streams`, reached through open_source."""

import logging
import socket
import time

import cv2
import numpy as np
import pytest
from streams import (
    camera,
    demo_jpegs,
    ffmpeg_camera,
    free_port,
    make_video,
    needs_ffmpeg,
    rtsp_camera,
)

from fer_edge.config import StreamSource
from fer_edge.errors import ConfigError, SourceLostError
from fer_edge.sources import open_source
from fer_edge.sources._pictures import BgrPicture, JpegPicture


@pytest.fixture(scope="module")
def jpegs():
    return demo_jpegs(12)


def stream_source(url, **options):
    options = {"open_timeout_s": 5.0, "stall_timeout_s": 5.0} | options
    return open_source(StreamSource(type="stream", url=url, **options))


def read_on(stream):
    """Read until something is raised."""
    while True:
        stream.read()


def read(source, count):
    with source.open() as stream:
        return [stream.read() for _ in range(count)]


@pytest.mark.parametrize("length", [True, False], ids=["with length", "without length"])
def test_pictures_arrive_as_they_were_sent(jpegs, length):
    with camera(jpegs, length=length) as server:
        frames = read(stream_source(server.url), 8)
    assert [frame.stamp.seq for frame in frames] == list(range(8))
    assert all(isinstance(frame.picture, JpegPicture) for frame in frames)
    sent = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) for data in jpegs[:8]]
    for frame, luma in zip(frames, sent, strict=True):
        assert (frame.stamp.width, frame.stamp.height) == (640, 360)
        assert np.array_equal(frame.picture.gray(), luma)


@needs_ffmpeg
@pytest.mark.parametrize("content", ["application/octet-stream", "multipart/x-mixed-replace"])
def test_ffmpeg_as_the_camera(tmp_path, content):
    video = make_video(tmp_path / "clip.mp4")
    port = free_port()
    with ffmpeg_camera(video, port, "-q:v", "4", "-content_type", content):
        frames = read(stream_source(f"http://127.0.0.1:{port}/"), 10)
    assert [frame.stamp.seq for frame in frames] == list(range(10))
    assert all(isinstance(frame.picture, JpegPicture) for frame in frames)
    assert frames[9].picture.gray().shape == (180, 320)


@needs_ffmpeg
@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_rtsp(tmp_path, codec, capfd):
    # RTP carries JPEGs in steps of eight lines.
    video = make_video(tmp_path / "clip.mkv", seconds=1, size="320x176")
    with rtsp_camera(video, codec) as (url, requests):
        frames = read(stream_source(url), 10)
    assert frames[9].picture.gray().shape == (176, 320)
    kind = JpegPicture if codec == "mjpeg" else BgrPicture
    assert all(isinstance(frame.picture, kind) for frame in frames)
    assert {"DESCRIBE", "SETUP", "PLAY"} <= set(requests)
    assert capfd.readouterr().err == ""


def test_a_camera_that_hangs_is_lost_after_the_timeout(jpegs, capfd):
    with camera(jpegs) as server, stream_source(server.url, stall_timeout_s=0.5).open() as stream:
        stream.read()
        server.hang.set()
        with pytest.raises(SourceLostError, match=r"/stream: no picture for 0\.5 s"):
            read_on(stream)
    assert capfd.readouterr().err == ""


def test_a_camera_that_closes_is_lost_and_found_again(jpegs):
    with camera(jpegs) as server:
        source = stream_source(server.url)
        with source.open() as stream:
            first = stream.read()
            server.close_now.set()
            with pytest.raises(SourceLostError, match="closed the connection"):
                read_on(stream)
        server.close_now.clear()
        again = read(source, 2)
    assert again[0].stamp.seq > first.stamp.seq
    assert again[1].stamp.seq == again[0].stamp.seq + 1


def test_a_camera_that_was_restarted_is_found_again(jpegs):
    port = free_port()
    source = stream_source(f"http://127.0.0.1:{port}/stream")
    for _ in range(2):
        with pytest.raises(SourceLostError, match="Connection refused"):
            read(source, 1)
        with camera(jpegs, port=port):
            assert len(read(source, 3)) == 3


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_nobody_there(scheme, capfd):
    url = f"{scheme}://127.0.0.1:{free_port()}/stream"
    with pytest.raises(SourceLostError, match="Connection refused; check that the camera is on"):
        read(stream_source(url), 1)
    assert capfd.readouterr().err == ""


def test_no_such_host():
    with pytest.raises(SourceLostError, match=r"no such host as camera\.invalid"):
        read(stream_source("http://camera.invalid/stream"), 1)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/page", "is text/html, not a stream of pictures"),
        ("/nothing", "answers 404 and knows no such path"),
    ],
)
def test_an_address_that_is_no_stream(jpegs, path, reason, capfd):
    with camera(jpegs) as server:
        url = server.url.replace("/stream", path)
        with pytest.raises(SourceLostError, match=reason) as raised:
            read(stream_source(url), 1)
    assert "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""


def test_a_server_that_accepts_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/stream"
        with pytest.raises(SourceLostError, match="no answer within"):
            read(stream_source(url, open_timeout_s=0.5), 1)


@pytest.fixture
def password(tmp_path):
    file = tmp_path / "password"
    file.write_text("s3cret:/?#@ é\n")
    return file


def test_a_password_is_used_and_never_shown(jpegs, password, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with camera(jpegs, login="user@home:s3cret:/?#@ é") as server:
        source = stream_source(server.url, username="user@home", password_file=password)
        assert len(read(source, 3)) == 3
        server.login = "another"
        with pytest.raises(SourceLostError, match="answers 401 and asks for a password") as raised:
            read(source, 1)
    shown = f"{source.name} {source!r} {raised.value} {caplog.text} {capfd.readouterr()}"
    assert "s3cret" not in shown


def test_a_password_from_systemds_credentials(jpegs, password, monkeypatch):
    (password.parent / "source-password").write_text("from systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(password.parent))
    with camera(jpegs, login="user:from systemd") as server:
        assert len(read(stream_source(server.url, username="user"), 2)) == 2


def test_a_password_is_read_anew_at_every_opening(jpegs, password):
    with camera(jpegs, login="user:new") as server:
        source = stream_source(server.url, username="user", password_file=password)
        with pytest.raises(SourceLostError, match="401"):
            read(source, 1)
        password.write_text("new\n")
        assert len(read(source, 1)) == 1


def test_a_password_file_that_is_not_there(jpegs, tmp_path):
    with camera(jpegs) as server:
        options = {"username": "user", "password_file": tmp_path / "none"}
        with pytest.raises(ConfigError, match=r"source\.password_file"):
            read(stream_source(server.url, **options), 1)


def test_a_key_in_the_query_reaches_the_camera_but_no_message(jpegs):
    with camera(jpegs) as server:
        source = stream_source(server.url + "?key=s3cret")
        read(source, 1)
        assert server.requests[0][0] == "/stream?key=s3cret"
    with pytest.raises(SourceLostError) as raised:
        read(source, 1)
    assert "s3cret" not in f"{source.name} {source!r} {raised.value}"


def test_frames_are_stamped_when_they_are_read(jpegs):
    with camera(jpegs) as server, stream_source(server.url).open() as stream:
        for _ in range(3):
            before = time.monotonic_ns()
            stamp = stream.read().stamp
            assert before <= stamp.captured_ns <= time.monotonic_ns()
