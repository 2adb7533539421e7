"""LSL outlets, read by real inlets, in a process of their own: liblsl reads its settings once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fer_edge.config import Config, LslConfig
from fer_edge.errors import ConfigError
from fer_edge.sinks.lsl import CHANNELS, LslSink
from fer_edge.types import EMOTIONS

HERE = Path(__file__).parent

PROGRAM = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from conftest import START, make_face
from fer_edge.config import LslConfig
from fer_edge.sinks.lsl import LslSink
from fer_edge.types import Emotion, Result, Stamp
import pylsl

sink = LslSink(LslConfig(enabled=True), sys.argv[2])
sink.start()

def inlet(name):
    found = pylsl.resolve_byprop("name", name, 1, 60)
    one = pylsl.StreamInlet(found[0])
    one.open_stream(60)
    return one

samples, markers = inlet(f"fer-edge-{sys.argv[2]}"), inlet(f"fer-edge-{sys.argv[2]}-markers")
info = samples.info(60)
labels, units, channel = [], [], info.desc().child("channels").child("channel")
while not channel.empty():
    labels.append(channel.child_value("label"))
    units.append(channel.child_value("unit"))
    channel = channel.next_sibling()

while not (sink._samples.have_consumers() and sink._markers.have_consumers()):
    time.sleep(0.01)
captured_ns = time.monotonic_ns() - 2_000_000_000
now = pylsl.local_clock()

def put(*faces):
    sink.put(Result(Stamp(0, captured_ns, START, 1920, 1080), faces))

put(make_face(1), make_face(2))
put(make_face(1, emotion=Emotion.SAD))
put(make_face(1, emotion=None))
put()
said = [markers.pull_sample(60)[0][0] for _ in range(8)]
sample, at = samples.pull_sample(60)
print(json.dumps({
    "labels": labels, "units": units, "rate": info.nominal_srate(), "sample": sample,
    "age": now - at, "said": said,
}))
sink.close()
"""


def test_inlets_read_the_largest_face_and_what_changed():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(HERE), "test"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout.splitlines()[-1])
    assert read["labels"] == ["valence", "arousal", *map(str, EMOTIONS), "confidence"]
    assert read["units"] == [unit for _, unit, _ in CHANNELS]
    assert read["rate"] == 0
    expected = [0.5, 0.25, 0.05, 0.65, *[0.05] * 6, 0.65]
    assert read["sample"] == pytest.approx(expected)
    # Captured two seconds before; the streams' clock and ours were read one after the other.
    assert read["age"] == pytest.approx(2, abs=0.5)
    assert read["said"] == [
        "appeared:1",
        "appeared:2",
        "emotion:1:happy",
        "emotion:2:happy",
        "left:2",
        "emotion:1:sad",
        "emotion:1:uncertain",
        "left:1",
    ]


def test_it_is_off_unless_asked_for_and_then_told_to_this_machine_alone():
    assert not Config().lsl.enabled
    assert Config().lsl.scope == "machine"


@pytest.mark.parametrize(
    ("error", "says"),
    [(ImportError("pylsl"), "fer-edge\\[lsl\\]"), (RuntimeError("no library"), "PYLSL_LIB")],
)
def test_what_is_missing_is_named(monkeypatch, error, says):
    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name == "pylsl":
                raise error

    monkeypatch.delitem(sys.modules, "pylsl", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(ConfigError, match=says):
        LslSink(LslConfig(enabled=True), "kitchen")
