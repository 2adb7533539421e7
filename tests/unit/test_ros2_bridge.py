"""deploy/ros2/fer_edge_ros2.py without ROS, its messages checked against the definitions."""

import importlib.util
import sys
from pathlib import Path

import pytest
from ros2 import modules

from fer_edge.client import Faces

BRIDGE = Path(__file__).parents[2] / "deploy" / "ros2" / "fer_edge_ros2.py"
EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
IDS = "/humans/faces/tracked"


@pytest.fixture
def bridge(monkeypatch):
    for name, module in modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("fer_edge_ros2", BRIDGE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def face(number=1, emotion="happy", box=(480, 270, 960, 540), **more):
    probabilities = dict.fromkeys(EMOTIONS, 0.05) | {emotion: 0.65}
    return {
        "id": number,
        "box": dict(zip(("x", "y", "width", "height"), box, strict=True)),
        "angle": 0.0,
        "emotion": emotion,
        "confidence": 0.65,
        "probabilities": probabilities | more,
        "valence": 0.5,
        "arousal": -0.25,
        "since": "2026-01-01T12:00:00.000Z",
    }


def message(*faces, device="living-room"):
    return Faces.model_validate(
        {
            "schema": "fer-edge/faces/2",
            "device": device,
            "seq": 1,
            "captured_at": "2026-01-01T12:00:00.250Z",
            "latency_ms": 5,
            "frame": {"width": 1920, "height": 1080},
            "faces": faces,
        }
    )


def test_a_face_becomes_an_id_a_region_and_an_expression(bridge):
    node = bridge.Bridge()
    node.publish(message(face(7)))
    base = "/humans/faces/fer_living_room_7"
    assert set(node.open) == {IDS, f"{base}/roi", f"{base}/expression"}
    (ids,) = node.open[IDS].sent
    assert ids.ids == ["fer_living_room_7"]
    (roi,) = node.open[f"{base}/roi"].sent
    assert (roi.xmin, roi.ymin, roi.xmax, roi.ymax, roi.c) == (0.25, 0.25, 0.75, 0.75, 1.0)
    (shown,) = node.open[f"{base}/expression"].sent
    assert (shown.expression, shown.valence, shown.arousal) == ("happy", 0.5, -0.25)
    assert shown.confidence == 0.65
    for header in (ids.header, roi.header, shown.header):
        assert (header.stamp.sec, header.stamp.nanosec) == (1767268800, 250_000_000)
        assert header.frame_id == "camera"


@pytest.mark.parametrize(
    ("emotion", "word"),
    [
        ("neutral", "neutral"),
        ("happy", "happy"),
        ("sad", "sad"),
        ("surprise", "surprised"),
        ("fear", "scared"),
        ("disgust", "disgusted"),
        ("anger", "angry"),
    ],
)
def test_seven_emotions_have_a_word_of_their_own(bridge, emotion, word):
    one = message(face(emotion=emotion)).faces[0]
    assert bridge.expression(one, bridge.Header()).expression == word


@pytest.mark.parametrize("shown", ["contempt", "uncertain"])
def test_without_a_word_the_next_is_sent_with_its_own_probability(bridge, shown):
    one = face(emotion="contempt", disgust=0.2) | {"emotion": shown}
    sent = bridge.expression(message(one).faces[0], bridge.Header())
    assert (sent.expression, sent.confidence, sent.valence) == ("disgusted", 0.2, 0.5)


def test_a_region_ends_at_the_edge_of_the_picture(bridge):
    one = message(face(box=(-100, 900, 400, 400)))
    roi = bridge.region(one.faces[0], one, bridge.Header())
    assert (roi.xmin, roi.ymax) == (0.0, 1.0)


def test_who_has_left_is_no_longer_there(bridge):
    node = bridge.Bridge()
    node.publish(message(face(1), face(2)))
    node.publish(message(face(2)))
    node.publish(message(face(5), device="hall"))
    assert node.ever[IDS].sent[-1].ids == ["fer_living_room_2", "fer_hall_5"]
    assert "/humans/faces/fer_living_room_1/roi" not in node.open
    node.publish(message())
    assert node.ever[IDS].sent[-1].ids == ["fer_hall_5"]


def test_a_device_that_is_offline_has_no_faces(bridge):
    node = bridge.Bridge()
    node.publish(message(face(1)))
    node.drop("living-room")
    node.drop("living-room")
    node.drop("hall")
    assert [ids.ids for ids in node.ever[IDS].sent] == [["fer_living_room_1"], []]
    assert set(node.open) == {IDS}
