import json

import pytest

from fer_edge.config import MqttConfig
from fer_edge.sinks.mqtt.announce import announce, remember
from fer_edge.statefile import StateFile


@pytest.fixture
def start(tmp_path):
    """Connects once; what was published to take something away, and how many were announced."""

    def run(device="kitchen", *, home_assistant=True, **fields):
        config = MqttConfig(url="mqtt://localhost", home_assistant=home_assistant, **fields)
        prefix = config.prefix or f"fer-edge/{device}"
        state = StateFile(tmp_path / "state.json")
        messages = announce(config, device, prefix, None, state).discovery
        remember(config, device, prefix, state)
        assert all((m.qos, m.retain) == (1, True) for m in messages)
        announced = [m.topic for m in messages if m.payload and json.loads(m.payload)]
        return announced, [m.topic for m in messages if not m.payload]

    return run


def test_the_same_device_takes_nothing_away(start):
    assert start() == start() == (["homeassistant/device/fer_edge_kitchen/config"], [])


def test_a_renamed_device_takes_its_old_one_away(start):
    start()
    announced, gone = start("hall")
    assert announced == ["homeassistant/device/fer_edge_hall/config"]
    assert gone == [
        "homeassistant/device/fer_edge_kitchen/config",
        "fer-edge/kitchen/availability",
        "fer-edge/kitchen/camera",
        "fer-edge/kitchen/settings",
    ]
    assert start("hall")[1] == []


def test_another_prefix_leaves_the_device_and_takes_the_old_topics_away(start):
    start()
    announced, gone = start(prefix="house/eyes")
    assert announced == ["homeassistant/device/fer_edge_kitchen/config"]
    assert "fer-edge/kitchen/availability" in gone
    assert not set(announced) & set(gone)


def test_without_home_assistant_from_now_on_the_device_goes_and_its_topics_stay(start):
    start()
    assert start(home_assistant=False) == ([], ["homeassistant/device/fer_edge_kitchen/config"])
    assert start(home_assistant=False) == ([], [])
