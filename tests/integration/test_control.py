"""Commands to the real service over a real broker, and what is left of them after its end."""

import json

import pytest
from broker import Broker, Recorder, wait_for
from daemon import call, running

SETTINGS = "fer-edge/kitchen/settings"
CAMERA = "fer-edge/kitchen/camera"
ERROR = "fer-edge/kitchen/error"
DISCOVERY = "homeassistant/device/fer_edge_kitchen/config"


@pytest.fixture
def broker(tmp_path):
    (tmp_path / "broker").mkdir()
    with Broker(tmp_path / "broker") as running_broker:
        yield running_broker


@pytest.fixture
def recorder(broker):
    with Recorder(broker) as listening:
        yield listening


@pytest.fixture
def start(broker, tmp_path):
    """Starts the service; what it keeps is there for the next start."""

    def run(*settings, device="kitchen"):
        fields = [f"device={device}", "source.width=640", "source.height=480", *settings]
        options = [part for field in fields for part in ("--set", field)]
        options = ["--source", "demo", "--mqtt", broker.url, "--output", "none", *options]
        return running(*options, STATE_DIRECTORY=str(tmp_path / "state"))

    return run


def say(recorder, name, payload):
    recorder.say(f"fer-edge/kitchen/set/{name}", payload)


def last(recorder, topic, **fields):
    """Whether the last message there has these fields."""

    def ask():
        messages = recorder.on(topic)
        return messages and messages[-1].json.items() >= fields.items()

    return ask


def test_off_survives_a_kill_and_no_kept_command_turns_it_on(recorder, start):
    with start("mqtt.commands=on") as daemon:
        daemon.wait_for(last(recorder, CAMERA, available=True))
        say(recorder, "recognition", "OFF")
        daemon.wait_for(last(recorder, SETTINGS, recognition=False))
        daemon.wait_for(last(recorder, CAMERA, available=False, reason="recognition is off"))
        daemon.process.kill()
        daemon.process.wait()
    recorder.say("fer-edge/kitchen/set/recognition", "ON", retain=True)
    seen = len(recorder.on(CAMERA))
    with start("mqtt.commands=on") as daemon:
        daemon.wait_for(last(recorder, ERROR, field="recognition"))
        assert "retained" in recorder.on(ERROR)[-1].json["reason"]
        say(recorder, "smoothing", "1.5")
        daemon.wait_for(last(recorder, SETTINGS, recognition=False, smoothing=1.5))
        assert not any(m.json["available"] for m in recorder.on(CAMERA)[seen:])
        say(recorder, "recognition", "ON")
        daemon.wait_for(last(recorder, CAMERA, available=True))


def test_a_command_that_is_too_long_is_dropped_unread(recorder, start):
    with start("mqtt.commands=on") as daemon:
        daemon.wait_for(lambda: recorder.on(SETTINGS))
        say(recorder, "smoothing", "0" * 4096 + "1")
        say(recorder, "min_confidence", "0.5")
        daemon.wait_for(last(recorder, SETTINGS, min_confidence=0.5, smoothing=0.4))
        assert recorder.on(ERROR) == []


def test_restart_begins_again_in_the_same_process(recorder, start):
    with start("mqtt.commands=on") as daemon:
        daemon.wait_for(lambda: recorder.on(SETTINGS))
        say(recorder, "restart", "PRESS")
        states = daemon.wait_for(
            lambda: (
                len(recorder.on("fer-edge/kitchen/availability")) >= 3
                and recorder.payloads("fer-edge/kitchen/availability")
            )
        )
        assert states == [b"online", b"offline", b"online"]
        assert daemon.process.poll() is None
        assert daemon.stop() < 5
        assert daemon.process.returncode == 0


def test_without_leave_no_command_is_heard(recorder, start):
    with start() as daemon:
        daemon.wait_for(lambda: recorder.on("fer-edge/kitchen/state"))
        say(recorder, "recognition", "OFF")
        count = len(recorder.on("fer-edge/kitchen/faces"))
        daemon.wait_for(lambda: len(recorder.on("fer-edge/kitchen/faces")) > count + 5)
        assert recorder.on(SETTINGS) == []


def test_a_renamed_device_takes_its_old_one_away(recorder, start):
    with start("mqtt.home_assistant=true") as daemon:
        (first,) = daemon.wait_for(lambda: recorder.on(DISCOVERY))
        assert len(first.json["components"]) == 23
        daemon.wait_for(lambda: recorder.on(SETTINGS))
        daemon.stop()
    with start("mqtt.home_assistant=true", device="hall") as daemon:
        daemon.wait_for(lambda: recorder.payloads(DISCOVERY)[-1] == b"")
        daemon.wait_for(lambda: recorder.payloads(SETTINGS)[-1] == b"")
        assert recorder.on("homeassistant/device/fer_edge_hall/config")[-1].payload


def test_remove_takes_the_device_away(broker, recorder, start):
    with start("mqtt.home_assistant=true") as daemon:
        daemon.wait_for(lambda: recorder.on(SETTINGS))
        daemon.stop()
    done = call(
        "home-assistant", "remove", "--set", f"mqtt.url={broker.url}", "--set", "device=kitchen"
    )
    assert done.returncode == 0, done.stderr
    assert DISCOVERY in done.stdout
    with Recorder(broker) as late:
        late.say("test", json.dumps("last"))
        wait_for(lambda: late.on("test"))
        assert [m.topic for m in late.messages if m.retain] == []


def test_remove_says_when_the_broker_is_not_there(broker):
    broker.kill()
    done = call("home-assistant", "remove", "--set", f"mqtt.url={broker.url}")
    assert done.returncode == 74
    assert done.stderr.strip().splitlines()[-1].startswith("fer-edge: 127.0.0.1:")
    assert "Traceback" not in done.stderr
