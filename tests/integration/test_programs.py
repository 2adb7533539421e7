"""What stands in deploy/examples, deploy/ros2 and docs/mqtt.md, run against the real daemon."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from broker import Broker, free_port, wait_for
from daemon import environment, running
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "deploy" / "examples"
DOCUMENT = ROOT / "docs" / "mqtt.md"


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as one:
        yield one


def demo(broker, *more):
    settings = ("--mqtt", broker.url, "--output", "none", "--set", "device=livingroom")
    return running("--source", "demo", *settings, *more)


def one_liner():
    """The line of docs/mqtt.md that filters faces."""
    (line,) = re.findall(r"^(mosquitto_sub .*jq .*)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    return line


def test_the_one_liner_prints_faces(broker):
    assert shutil.which("mosquitto_sub"), "apt install mosquitto-clients"
    assert shutil.which("jq"), "apt install jq"
    line = one_liner().replace("-h broker.local", f"-C 3 -h 127.0.0.1 -p {broker.port}")
    with demo(broker):
        done = subprocess.run(
            ["sh", "-c", line], capture_output=True, text=True, timeout=60, check=True
        )
    printed = [json.loads(one) for one in done.stdout.splitlines()]
    assert len(printed) >= 3
    number, emotion, valence = printed[0]
    assert number == 1
    assert isinstance(emotion, str)
    assert -1 <= valence <= 1


def test_a_head_turns_to_the_largest_face(broker):
    command = [sys.executable, EXAMPLES / "turn_to_face.py", broker.url, "livingroom"]
    with (
        demo(broker),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as robot,
    ):
        try:
            speeds = [float(robot.stdout.readline().split()[1]) for _ in range(10)]
        finally:
            robot.kill()
    # The demo's face moves over the whole picture.
    assert any(speed != 0 for speed in speeds)
    assert all(-1 <= speed <= 1 for speed in speeds)


@pytest.fixture
def turn_to_face():
    spec = importlib.util.spec_from_file_location("turn_to_face", EXAMPLES / "turn_to_face.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("x", "sign"), [(0, -1), (270, 0), (540, 1)])
def test_it_turns_the_right_way(turn_to_face, x, sign):
    from fer_edge.client import Box, Face, Faces, Frame

    face = Face.model_construct(box=Box(x=x, y=0, width=100, height=100))
    message = Faces.model_construct(frame=Frame(width=640, height=480), faces=(face,))
    speed = turn_to_face.speed(message)
    assert (speed > 0) - (speed < 0) == sign
    assert turn_to_face.speed(Faces.model_construct(faces=())) == 0


def test_the_first_lines_of_the_document_run_as_they_stand(broker):
    text = (ROOT / "docs" / "programs.md").read_text("utf-8")
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    program = program.replace("mqtt://broker.local", broker.url)
    command = [sys.executable, "-c", program]
    with (
        demo(broker),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as reader,
    ):
        try:
            device, number, _, valence = reader.stdout.readline().split()
        finally:
            reader.kill()
    assert (device, number) == ("livingroom", "1")
    assert -1 <= float(valence) <= 1


HARNESS = """
const fs = require("fs");
const body = fs.readFileSync(process.argv[1], "utf8");
const kept = new Map();
const context = { get: (k) => kept.get(k), set: (k, v) => kept.set(k, v) };
const run = new Function("msg", "context", body);
const messages = JSON.parse(fs.readFileSync(0, "utf8"));
console.log(JSON.stringify(messages.map((payload) => run({ payload }, context))));
"""


def test_the_node_red_function_tells_of_changes_only():
    assert shutil.which("node"), "apt install nodejs"

    def message(*emotions, device="hall"):
        return {"device": device, "faces": [{"emotion": e, "valence": 0.5} for e in emotions]}

    sent = [
        message(),
        message("happy", "sad"),
        message("happy"),
        message("uncertain"),
        message("happy"),
        message("sad"),
        message("sad", device="kitchen"),
        message(),
    ]
    done = subprocess.run(
        ["node", "-e", HARNESS, EXAMPLES / "node-red-function.js"],
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    got = [
        [None if one is None else (one["topic"], one["payload"]) for one in pair]
        for pair in json.loads(done.stdout)
    ]
    assert got == [
        [None, None],
        [("hall/emotion", "happy"), ("hall/present", True)],
        [None, None],
        [None, None],
        [None, None],
        [("hall/emotion", "sad"), None],
        [("kitchen/emotion", "sad"), ("kitchen/present", True)],
        [("hall/emotion", "none"), ("hall/present", False)],
    ]


def test_prometheus_reads_the_daemon(broker):
    listen = f"127.0.0.1:{free_port()}"

    def scrape():
        try:
            with urllib.request.urlopen(f"http://{listen}/metrics", timeout=10) as response:
                text = response.read().decode()
        except OSError:
            return None
        families = text_string_to_metric_families(text)
        found = {sample.name: sample.value for family in families for sample in family.samples}
        return found if found["fer_edge_faces"] == 1 and found["fer_edge_mqtt_up"] else None

    with demo(broker, "--set", f"metrics.listen={listen}") as daemon:
        found = daemon.wait_for(scrape)
        assert found["fer_edge_source_up"] == 1
        assert found["fer_edge_searches_total"] > 0
        assert daemon.stop() < 5
        assert daemon.process.returncode == 0


def test_the_example_for_prometheus_names_the_address_of_the_documents():
    (target,) = re.findall(r'targets: \["(.*)"\]', (EXAMPLES / "prometheus.yml").read_text("utf-8"))
    example = (ROOT / "deploy" / "config.example.toml").read_text("utf-8")
    assert f'#listen = "{target}"' in example


INLET = """
import sys, pylsl
pylsl.set_config_content("[multicast]\\nResolveScope = machine\\n")
name = f"fer-edge-{sys.argv[1]}"
inlet = pylsl.StreamInlet(pylsl.resolve_byprop("name", name, 1, 90)[0])
print(*inlet.pull_sample(60)[0])
"""


def test_a_study_reads_the_daemon():
    device = f"study{free_port()}"  # LSL has no ports of ours: the name keeps two runs apart
    settings = ("--output", "none", "--set", f"device={device}", "--set", "lsl.enabled=true")
    with running("--source", "demo", *settings) as daemon:
        done = subprocess.run(
            [sys.executable, "-c", INLET, device],
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        valence, arousal, *shares = map(float, done.stdout.split()[-11:])
        assert daemon.stop() < 5
        assert daemon.process.returncode == 0
    assert -1 <= valence <= 1
    assert -1 <= arousal <= 1
    assert sum(shares[:8]) == pytest.approx(1, abs=0.01)
    assert shares[8] == pytest.approx(max(shares[:8]))


def test_an_address_that_is_taken_ends_the_daemon_with_one_line(broker):
    listen = f"127.0.0.1:{broker.port}"
    with demo(broker, "--set", f"metrics.listen={listen}") as daemon:
        wait_for(lambda: daemon.process.poll() is not None, 60)
        assert daemon.process.returncode == 74
        wait_for(lambda: daemon.errors)
        assert len([line for line in daemon.errors if "metrics.listen" in line]) == 1
        assert not [line for line in daemon.errors if "Traceback" in line]


ROS = """
import sys
sys.path.insert(0, sys.argv[1])
from ros2 import Node, modules

class Seen(Node):
    last = None
    def __init__(self, name):
        super().__init__(name)
        Seen.last = self
    def declare_parameter(self, name, value):
        super().declare_parameter(name, sys.argv[3] if name == "url" else value)

def seen():
    sent = [p for t, p in Seen.last.ever.items() if t.endswith("/expression")] if Seen.last else []
    return any(p.sent for p in sent)

fakes = modules(
    Seen, init=lambda: None, ok=lambda: not seen(), try_shutdown=lambda: None,
    spin_once=lambda node, timeout_sec: None,
)
sys.modules.update(fakes)
import runpy
runpy.run_path(sys.argv[2], run_name="__main__")
topic, publisher = next((t, p) for t, p in Seen.last.ever.items() if t.endswith("/expression"))
print(topic, publisher.sent[0].expression)
"""


def test_the_ros_bridge_runs_from_broker_to_topic(broker):
    bridge = ROOT / "deploy" / "ros2" / "fer_edge_ros2.py"
    command = [sys.executable, "-c", ROS, ROOT / "tests" / "unit", bridge, broker.url]
    with demo(broker):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=environment()
        )
    assert done.returncode == 0, done.stderr
    topic, word = done.stdout.split()
    assert topic == "/humans/faces/fer_livingroom_1/expression"
    assert word in {"happy", "neutral", "surprised", "scared", "disgusted", "angry", "sad"}
