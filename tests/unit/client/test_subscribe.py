import json
import subprocess
import sys

import pytest

from fer_edge.client import ConfigError, Faces, subscribe
from fer_edge.client._waiting import MAX_DEVICES, Waiting

LIGHT = {"paho", "pydantic", "pydantic_core", "annotated_types", "typing_extensions"}
LIGHT |= {"typing_inspection", "fer_edge"}


def test_it_imports_neither_numpy_nor_opencv_nor_the_interpreter():
    program = (
        "import sys; before = set(sys.modules); import fer_edge.client, json;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(json.dumps(sorted(new - set(sys.stdlib_module_names))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    # Python's own record of how it was built has a name of its own on every platform.
    loaded = {name for name in json.loads(done.stdout) if not name.startswith("_sysconfigdata")}
    assert "fer_edge" in loaded
    assert loaded <= LIGHT


def message(device="kitchen", seq=0):
    return Faces.model_validate(
        {
            "schema": "fer-edge/faces/2",
            "device": device,
            "seq": seq,
            "captured_at": "2026-01-01T12:00:00.000Z",
            "latency_ms": 1.0,
            "frame": {"width": 640, "height": 480},
            "faces": [],
        }
    )


def test_the_newest_of_each_device_waits():
    waiting = Waiting(1)
    for seq in range(5):
        waiting.put(message("kitchen", seq))
    waiting.put(message("hall", 7))
    assert [(m.device, m.seq) for m in iter(waiting.take, None)] == [("kitchen", 4), ("hall", 7)]
    assert waiting.dropped == 4


def test_more_wait_where_it_is_asked_for_and_devices_take_turns():
    waiting = Waiting(2)
    for seq in range(3):
        waiting.put(message("kitchen", seq))
        waiting.put(message("hall", seq))
    read = [(m.device, m.seq) for m in iter(waiting.take, None)]
    assert read == [("kitchen", 1), ("hall", 1), ("kitchen", 2), ("hall", 2)]


def test_a_flood_of_devices_is_bounded():
    waiting = Waiting(1)
    for number in range(MAX_DEVICES + 10):
        waiting.put(message(f"d{number}"))
    assert len(list(iter(waiting.take, None))) == MAX_DEVICES
    assert waiting.dropped == 10


def test_nothing_comes_in_time():
    assert Waiting(1).get(0.01) is None


@pytest.mark.parametrize(
    ("url", "arguments", "says"),
    [
        ("broker", {}, "mqtt://host:1883"),
        ("http://broker", {}, "mqtt://host:1883"),
        ("mqtt://broker/topic", {}, "mqtt://host:1883"),
        ("mqtt://broker:99999", {}, "up to 65535"),
        ("mqtt://me:secret@broker", {}, "arguments username and password"),
        ("mqtt://broker", {"password": "secret"}, "username is missing"),
        ("mqtt://broker", {"ca_file": "ca.pem"}, "write mqtts://"),
        ("mqtts://broker", {"ca_file": "/nowhere/ca.pem"}, "ca_file: cannot use /nowhere/ca.pem"),
        ("mqtts://broker", {"cert_file": "c.pem"}, "come together"),
        ("mqtts://broker", {"cert_file": "/no/c", "key_file": "/no/k"}, "cannot use /no/c"),
        ("mqtt://broker", {"device": "a/b"}, "without /"),
        ("mqtt://broker", {"device": "+"}, "without /"),
        ("mqtt://broker", {"keep": 0}, "at least 1"),
    ],
)
def test_a_wrong_argument_is_named_and_no_password_is_told(url, arguments, says):
    with pytest.raises(ConfigError, match=says) as error:
        subscribe(url, **arguments)
    assert "secret" not in str(error.value)
