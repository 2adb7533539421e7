import json
from dataclasses import replace

import pytest

from fer_edge.settings import Settings
from fer_edge.sinks.mqtt.commands import Commands
from fer_edge.sinks.mqtt.message import Incoming


class Controls:
    """Takes smoothing alone."""

    model_widths = (0.25, 1.0)

    def __init__(self):
        self.settings = Settings(
            recognition=True, model_width=0.25, min_confidence=0.35, smoothing=0.4
        )
        self.restarts = 0

    def adjust(self, name, value):
        if name != "smoothing":
            return "no such setting"
        self.settings = replace(self.settings, smoothing=float(value))
        return None

    def restart(self):
        self.restarts += 1


@pytest.fixture
def controls():
    return Controls()


@pytest.fixture
def sent():
    return []


@pytest.fixture
def commands(controls, sent):
    def send(message):
        sent.append((message.topic, json.loads(message.payload), message.retain))
        return True

    made = Commands("kitchen", "p", controls, send=send)
    made.work()
    sent.clear()
    return made


def say(commands, name, payload, **fields):
    commands.receive(Incoming(f"p/set/{name}", payload, **fields))
    commands.work()


def test_a_setting_is_changed_and_published(commands, controls, sent):
    say(commands, "smoothing", b"1.5")
    ((topic, message, retain),) = sent
    assert (topic, message["smoothing"], retain) == ("p/settings", 1.5, True)
    commands.work()
    assert len(sent) == 1
    commands.connected()
    commands.work()
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        ("brightness", b"1", "no such setting"),
        ("smoothing", b"\xff", "is not text in UTF-8"),
        ("restart", b"now", "write PRESS"),
    ],
)
def test_a_bad_command_is_answered_and_changes_nothing(
    commands, controls, sent, *, name, payload, reason, caplog
):
    before = controls.settings
    say(commands, name, payload)
    ((topic, message, retain),) = sent
    assert (topic, retain) == ("p/error", False)
    assert (message["field"], message["reason"]) == (name, reason)
    assert (controls.settings, controls.restarts) == (before, 0)
    assert reason in caplog.text


def test_a_retained_command_is_ignored_and_said_once(commands, controls, sent):
    for _ in range(3):
        say(commands, "restart", b"PRESS", retained=True)
        say(commands, "smoothing", b"9", retained=True)
    assert (controls.restarts, controls.settings.smoothing) == (0, 0.4)
    ((topic, message, _),) = sent
    assert topic == "p/error"
    assert "retained" in message["reason"]


def test_restart(commands, controls):
    say(commands, "restart", b"PRESS")
    assert controls.restarts == 1


def test_other_topics_are_none_of_its_business(commands, sent):
    commands.receive(Incoming("homeassistant/status", b"online"))
    commands.work()
    assert sent == []
