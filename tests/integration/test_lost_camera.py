"""What a subscriber sees when the camera is pulled while somebody is in view, and plugged in again."""

import logging

import jsonschema
import pytest
from broker import Broker, Recorder, wait_for
from daemon import running
from streams import camera, demo_jpegs, ffmpeg, ffmpeg_camera, free_port, needs_ffmpeg

from fer_edge.sinks.payload import load_schema

PREFIX = "fer-edge/porch"


@pytest.fixture
def broker(tmp_path):
    folder = tmp_path / "broker"
    folder.mkdir()
    with Broker(folder) as running_broker:
        yield running_broker


@pytest.fixture(scope="module")
def jpegs():
    return demo_jpegs(60)


def watch(url, broker):
    """Arguments of a daemon that publishes what the camera at `url` sees."""
    return [
        "--source", url, "--mqtt", broker.url, "--output", "none", "--set", "device=porch",
        "--set", "retry.max_s=0.3", "--set", "source.stall_timeout_s=2",
        "--set", "mqtt.diagnostics_s=1",
    ]  # fmt: skip


def told(recorder, topic):
    """Messages on a topic; those of `faces` fit their schema."""
    messages = [received.json for received in recorder.on(f"{PREFIX}/{topic}")]
    if topic == "faces":
        for message in messages:
            jsonschema.validate(message, load_schema())
    return messages


def last(recorder, topic, field):
    """The field's value in the topic's last message."""
    messages = told(recorder, topic)
    return messages[-1][field] if messages else "nothing was told"


def timeline(recorder):
    """Seconds, topic and what counts in it, without the repeated `faces` and other topics."""
    lines, before = [], None
    topics = {f"{PREFIX}/{name}" for name in ("availability", "camera", "faces", "state")}
    messages = [m for m in list(recorder.messages) if m.topic in topics]
    for message in messages:
        topic = message.topic.removeprefix(f"{PREFIX}/")
        if topic == "availability":
            what = message.payload.decode()
        elif topic == "camera":
            what = f"{message.json['available']} {message.json['reason']}"
        elif topic == "faces":
            faces = message.json["faces"]
            what = "null" if faces is None else str(len(faces))
        else:
            what = f"{message.json['faces']} {message.json['emotion']}"
        if (topic, what) != before:
            lines.append(f"{message.at - messages[0].at:5.1f} {topic} {what}")
        before = (topic, what)
    return lines


@needs_ffmpeg
def test_ffmpeg_as_a_camera_that_is_pulled_and_plugged_in_again(broker, tmp_path, jpegs):
    for number, jpeg in enumerate(jpegs):
        (tmp_path / f"{number:03}.jpg").write_bytes(jpeg)
    clip = tmp_path / "clip.mkv"
    ffmpeg("-framerate", 30, "-i", tmp_path / "%03d.jpg", "-c:v", "copy", clip)
    port = free_port()
    with (
        Recorder(broker) as recorder,
        running(*watch(f"http://127.0.0.1:{port}/", broker)) as daemon,
    ):
        daemon.wait_for(lambda: last(recorder, "camera", "available") is False)
        daemon.wait_for(lambda: last(recorder, "state", "faces") is None)
        assert told(recorder, "faces") == []
        with ffmpeg_camera(clip, port, "-q:v", "3"):
            daemon.wait_for(lambda: last(recorder, "state", "faces") == 1)
            assert last(recorder, "camera", "available") is True
        daemon.wait_for(lambda: last(recorder, "camera", "available") is False)
        daemon.wait_for(lambda: last(recorder, "faces", "faces") is None)
        daemon.wait_for(lambda: last(recorder, "state", "faces") is None)
        assert last(recorder, "state", "emotion") is None
        ids = {face["id"] for m in told(recorder, "faces") for face in m["faces"] or []}
        count = len(told(recorder, "faces"))
        with ffmpeg_camera(clip, port, "-q:v", "3"):
            daemon.wait_for(lambda: last(recorder, "state", "faces") == 1)
            daemon.wait_for(lambda: last(recorder, "faces", "faces"))
            assert last(recorder, "camera", "available") is True
            later = told(recorder, "faces")[count:]
        assert not ids & {face["id"] for m in later for face in m["faces"] or []}
        assert not [m for m in told(recorder, "faces") if m["faces"] == []], (
            "the room was never empty"
        )
        assert not [m for m in told(recorder, "state") if m["emotion"] == "none"]
        seqs = [message["seq"] for message in told(recorder, "faces")]
        assert seqs == sorted(set(seqs))
        assert recorder.payloads(f"{PREFIX}/availability") == [b"online"]
        logging.getLogger(__name__).info("what was told:\n%s", "\n".join(timeline(recorder)))
        with Recorder(broker) as late:
            wait_for(lambda: late.on(f"{PREFIX}/camera"))
            assert late.on(f"{PREFIX}/camera")[0].retain
        assert daemon.stop() < 4


def test_each_reason_is_told_and_logged_once(broker, jpegs):
    with (
        camera(jpegs) as server,
        Recorder(broker) as recorder,
        running(*watch(server.url, broker)) as daemon,
    ):
        daemon.wait_for(lambda: last(recorder, "state", "faces") == 1)
        server.hang.set()
        daemon.wait_for(lambda: "no picture for" in str(last(recorder, "camera", "reason")))
        server.login = "user:changed"
        server.hang.clear()
        server.close_now.set()
        daemon.wait_for(lambda: "answers 401" in str(last(recorder, "camera", "reason")))
        lost = told(recorder, "camera")[-1]["since"]
        server.login = None
        server.close_now.clear()
        daemon.wait_for(lambda: last(recorder, "camera", "available") is True)
        assert told(recorder, "camera")[-1]["since"] > lost
        daemon.wait_for(lambda: last(recorder, "faces", "faces"))
        for reason in ("no picture for", "answers 401"):
            assert len([line for line in daemon.errors if reason in line]) == 1, reason
        assert daemon.stop() < 4


def test_damaged_pictures_are_counted_and_do_not_fill_the_log(broker, jpegs):
    damaged = [jpeg[: len(jpeg) * 2 // 3] + jpeg[-2:] for jpeg in jpegs]
    with camera(damaged, fps=60) as server, Recorder(broker) as recorder:
        with running(*watch(server.url, broker)) as daemon:

            def counted():
                reports = told(recorder, "diagnostics")
                return reports and reports[-1]["unreadable_frames"] > 100

            daemon.wait_for(counted)
            assert daemon.stop() < 4
        (line,) = [line for line in daemon.errors if "JPEG" in line]
        assert "WARNING" in line
        assert "damaged picture" in line
