"""Against a real Home Assistant: what its users see, press, and read in its log."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from broker import Broker, Recorder, wait_for
from daemon import running
from home import ENVIRONMENT, HomeAssistant

from fer_edge.sinks.mqtt.home_assistant import discovery_messages

pytestmark = [pytest.mark.home_assistant, pytest.mark.timeout(300)]

DEPLOY = Path(__file__).parents[2] / "deploy" / "home-assistant"
BLUEPRINTS = DEPLOY / "blueprints" / "automation" / "fer-edge"

EMOTION = "sensor.fer_edge_kitchen_emotion"
DOMINANT = "sensor.fer_edge_kitchen_emotion_of_the_last_minute"
RECOGNITION = "switch.fer_edge_kitchen_recognition"
CAMERA = "binary_sensor.fer_edge_kitchen_camera"
SETTINGS = "fer-edge/kitchen/settings"
ENTITIES = {
    EMOTION, DOMINANT, RECOGNITION, CAMERA,
    "sensor.fer_edge_kitchen_confidence", "sensor.fer_edge_kitchen_valence",
    "sensor.fer_edge_kitchen_arousal", "sensor.fer_edge_kitchen_faces",
    "sensor.fer_edge_kitchen_frame_rate", "sensor.fer_edge_kitchen_latency",
    "sensor.fer_edge_kitchen_dropped_frames", "sensor.fer_edge_kitchen_board_temperature",
    "binary_sensor.fer_edge_kitchen_presence", "binary_sensor.fer_edge_kitchen_throttled",
    "event.fer_edge_kitchen_face", "event.fer_edge_kitchen_emotion_change",
    "select.fer_edge_kitchen_model_width", "number.fer_edge_kitchen_smoothing",
    "number.fer_edge_kitchen_confidence_threshold", "button.fer_edge_kitchen_restart",
}  # fmt: skip

USES = """
- alias: told
  use_blueprint:
    path: fer-edge/notify_of_emotion.yaml
    input:
      emotion_of_the_last_minute: sensor.fer_edge_kitchen_emotion_of_the_last_minute
      emotion: happy
      duration: {seconds: 1}
- alias: lit
  use_blueprint:
    path: fer-edge/light_follows_valence.yaml
    input: {valence: sensor.fer_edge_kitchen_valence, light: {entity_id: light.none}}
- alias: paused
  use_blueprint:
    path: fer-edge/pause_music.yaml
    input: {presence: binary_sensor.fer_edge_kitchen_presence, players: {entity_id: media_player.none}}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A broker, and a Home Assistant that knows it and has our blueprints."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "broker").mkdir()
    with Broker(folder / "broker") as broker:
        home = HomeAssistant(folder)
        shutil.copytree(BLUEPRINTS, folder / "blueprints" / "automation" / "fer-edge")
        (folder / "automations.yaml").write_text(USES)
        with home:
            home.onboard()
            home.add_broker(broker)
            yield home, broker


@pytest.fixture
def start(house, tmp_path):
    """Starts the service with the demo's face; its state survives a second start."""
    _, broker = house
    fields = ("device=kitchen", "mqtt.home_assistant=true", "mqtt.diagnostics_s=1")
    options = [part for field in fields for part in ("--set", field)]
    options += ["--source", "demo", "--mqtt", broker.url, "--output", "none"]
    return lambda: running(*options, XDG_STATE_HOME=str(tmp_path))


def shows(home, entity, *values):
    def ask():
        state = home.state(entity)
        return state if state is not None and state["state"] in values else None

    return ask


def complaints(home):
    """What it has logged of us or of MQTT."""
    words = ("mqtt", "fer-edge", "fer_edge", "kitchen", "blueprint")
    return [line for line in home.log.splitlines() if any(word in line for word in words)]


def test_its_own_validators_accept_what_we_send_and_ship():
    widths = (0.25, 1.0)
    (message,) = discovery_messages("küche 2", "a/b", "homeassistant", model_widths=widths)
    asked = {
        "discovery": json.loads(message.payload),
        "blueprints": [str(path) for path in sorted(BLUEPRINTS.glob("*.yaml"))],
    }
    assert len(asked["blueprints"]) == 3
    done = subprocess.run(
        [ENVIRONMENT / "bin" / "python", Path(__file__).with_name("home_check.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_device_appears_with_all_its_entities(house, start):
    home, _ = house
    with start() as daemon:
        daemon.wait_for(shows(home, EMOTION, "happy"), 60)
        registry = home.ask("config/entity_registry/list")
        ours = {e["entity_id"] for e in registry if e["platform"] == "mqtt"}
        assert ours == ENTITIES
        (device,) = [
            d for d in home.ask("config/device_registry/list") if d["manufacturer"] == "fer-edge"
        ]
        assert (device["name"], device["serial_number"]) == ("fer-edge kitchen", "kitchen")
        triggers = home.ask("device_automation/trigger/list", device_id=device["id"])
        own = {(t["type"], t["subtype"]) for t in triggers if t["domain"] == "mqtt"}
        assert own == {("appeared", "face"), ("left", "face"), ("changed", "emotion")}
        daemon.wait_for(shows(home, "binary_sensor.fer_edge_kitchen_presence", "on"))
        daemon.wait_for(shows(home, CAMERA, "off"))
        daemon.wait_for(shows(home, DOMINANT, "happy"))
        assert float(home.state("sensor.fer_edge_kitchen_valence")["state"]) > 0
        told = [shows(home, f"automation.{name}", "on")() for name in ("told", "lit", "paused")]
        assert all(told)
        daemon.wait_for(lambda: home.ask("persistent_notification/get"))
        daemon.stop()
    wait_for(shows(home, EMOTION, "unavailable"))
    assert complaints(home) == []


def test_off_on_and_settings_by_its_services(house, start):
    home, broker = house
    with start() as daemon:
        daemon.wait_for(shows(home, EMOTION, "happy"), 60)
        home.service("switch.turn_off", RECOGNITION)
        daemon.wait_for(shows(home, RECOGNITION, "off"))
        daemon.wait_for(shows(home, EMOTION, "unavailable"))
        # Nothing is wrong with a camera that is off.
        camera = daemon.wait_for(shows(home, CAMERA, "off"))
        assert camera["attributes"]["reason"] == "recognition is off"
        daemon.process.kill()
        daemon.process.wait()
    wait_for(shows(home, RECOGNITION, "unavailable"))
    with start() as daemon:
        daemon.wait_for(shows(home, RECOGNITION, "off"))
        with Recorder(broker) as recorder:
            recorder.say("fer-edge/kitchen/set/min_confidence", "2")
            (error,) = daemon.wait_for(lambda: recorder.on("fer-edge/kitchen/error"))
            assert error.json["field"] == "min_confidence"
            assert "less than or equal to 1" in error.json["reason"]
        number = "number.fer_edge_kitchen_confidence_threshold"
        home.service("number.set_value", number, value=0.6)
        daemon.wait_for(shows(home, number, "0.6"))
        width = "select.fer_edge_kitchen_model_width"
        home.service("select.select_option", width, option="0.5")
        daemon.wait_for(shows(home, width, "0.5"))
        assert home.state(EMOTION)["state"] == "unavailable"
        home.service("switch.turn_on", RECOGNITION)
        daemon.wait_for(shows(home, EMOTION, "happy"), 30)
        face = home.state("event.fer_edge_kitchen_face")
        assert face["attributes"]["event_type"] == "appeared"
        home.service("button.press", "button.fer_edge_kitchen_restart")
        daemon.wait_for(lambda: any("restarting, as asked" in line for line in daemon.errors))
        kept = "model_width is 0.5, as set over MQTT in an earlier run"
        daemon.wait_for(lambda: sum(kept in line for line in daemon.errors) == 1)
        daemon.wait_for(shows(home, EMOTION, "happy"), 30)
        assert shows(home, width, "0.5")()
    assert complaints(home) == []


def test_it_outlives_everybodys_end(house, start):
    home, broker = house
    with start() as daemon:
        daemon.wait_for(shows(home, EMOTION, "happy"), 60)
        home.stop()
        home.start()
        daemon.wait_for(shows(home, EMOTION, "happy"), 60)
        broker.kill()
        daemon.wait_for(shows(home, EMOTION, "unavailable"), 60)
        broker.start()
        daemon.wait_for(shows(home, EMOTION, "happy"), 60)
        daemon.stop(signal.SIGKILL)
    wait_for(shows(home, EMOTION, "unavailable"), 60)
    with start() as daemon:
        daemon.wait_for(shows(home, EMOTION, "happy"), 60)
        daemon.stop()
    # Its own client complains of the broker's death, and of nothing else.
    assert [
        line for line in complaints(home) if "[homeassistant.components.mqtt.client]" not in line
    ] == []
