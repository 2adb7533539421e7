import json
import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import jsonschema
import numpy as np
import pytest

from fer_edge.sinks.payload import (
    diagnostics_message,
    encode,
    faces_message,
    load_schema,
    state_message,
    timestamp,
)
from fer_edge.stats import NS_PER_MS
from fer_edge.types import EMOTIONS, Affect, Box, Face, Track


@pytest.fixture
def validate():
    schema = load_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).validate


def test_faces_is_what_the_schema_says(result, face, clock, validate):
    one = result(face(1), face(2, emotion=None))
    message = faces_message(one, "kitchen", now_ns=clock() + 42 * NS_PER_MS)
    validate(message)
    assert message["schema"] == "fer-edge/faces/3"
    assert message["device"] == "kitchen"
    assert message["seq"] == 0
    assert message["captured_at"] == "2026-01-01T12:00:00.000Z"
    assert message["latency_ms"] == 42.0
    assert message["frame"] == {"width": 1920, "height": 1080}
    assert [f["id"] for f in message["faces"]] == [1, 2]
    assert [f["emotion"] for f in message["faces"]] == ["happy", "uncertain"]
    first = message["faces"][0]
    assert first["box"] == {"x": 100, "y": 51, "width": 200, "height": 220}
    assert list(first["probabilities"]) == [str(emotion) for emotion in EMOTIONS]
    assert first["probabilities"]["happy"] == 0.65
    assert (first["valence"], first["arousal"]) == (0.5, 0.25)
    assert first["since"] == "2026-01-01T12:00:00.000Z"


def test_no_faces_is_valid_too(result, clock, validate):
    message = faces_message(result(), "kitchen", now_ns=clock())
    validate(message)
    assert message["faces"] == []


def test_any_softmax_is_valid_and_sums_to_one(result, clock, validate):
    random = np.random.default_rng(1)
    for _ in range(200):
        raw = np.exp(random.normal(0, 4, 8))
        probabilities = (raw / raw.sum()).astype(np.float32)
        valence, arousal = np.tanh(random.normal(0, 2, 2)).astype(np.float32)
        x, y = random.uniform(-50, 2000, 2)
        track = Track(7, Box(x, y, 99.9, 0.2), datetime.now(tz=timezone(timedelta(hours=2))))
        affect = Affect(probabilities, valence, arousal)
        one = Face(track, EMOTIONS[int(raw.argmax())], probabilities.max(), affect)
        message = json.loads(encode(faces_message(result(one), "d", now_ns=clock())))
        validate(message)
        assert sum(message["faces"][0]["probabilities"].values()) == pytest.approx(1, abs=8 * 5e-5)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "fer-edge/faces/1"),
        (("captured_at",), "2026-01-01T12:00:00+00:00"),
        (("captured_at",), "2026-01-01T12:00:00Z"),
        (("faces", 0, "emotion"), "bored"),
        (("faces", 0, "valence"), 1.5),
        (("faces", 0, "probabilities"), {"happy": 1.0}),
        (("faces", 0, "image"), "…"),
    ],
)
def test_the_schema_refuses_what_is_wrong(result, face, clock, validate, *, path, value):
    message = faces_message(result(face()), "kitchen", now_ns=clock())
    *parents, key = path
    node = message
    for parent in parents:
        node = node[parent]
    node[key] = value
    with pytest.raises(jsonschema.ValidationError):
        validate(message)


def test_state_tells_of_the_largest_face(result, face):
    state = state_message(result(face(1, valence=-0.123456), face(2)), "kitchen")
    assert state == {
        "schema": "fer-edge/state/2",
        "device": "kitchen",
        "seq": 0,
        "captured_at": "2026-01-01T12:00:00.000Z",
        "faces": 2,
        "emotion": "happy",
        "confidence": 0.65,
        "valence": -0.1235,
        "arousal": 0.25,
    }


def test_state_without_a_face(result):
    state = state_message(result(), "kitchen")
    assert (state["faces"], state["emotion"]) == (0, "none")
    assert state["valence"] is state["arousal"] is None


def test_diagnostics_carries_what_it_is_given():
    at = datetime(2026, 1, 1, 13, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert diagnostics_message({"uptime_s": 1.5}, "kitchen", at=at) == {
        "schema": "fer-edge/diagnostics/1",
        "device": "kitchen",
        "at": "2026-01-01T12:00:00.999Z",
        "uptime_s": 1.5,
    }


def test_times_are_utc_whatever_they_came_in():
    moment = datetime(2026, 7, 1, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert timestamp(moment) == "2026-06-30T20:00:00.000Z"


def test_json_is_compact_and_keeps_letters():
    assert encode({"a": [1, "ü"]}) == '{"a":[1,"ü"]}'.encode()


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_json_has_no_nan(number):
    with pytest.raises(ValueError, match="JSON"):
        encode({"valence": number})


def test_landmarks_and_tilt_are_told_where_they_are_known(result, face, clock, validate):
    plain = face()
    points = tuple((10.4 * n, 20.6 * n) for n in range(1, 6))
    track = replace(plain.track, angle=12.34, landmarks=points)
    message = faces_message(result(replace(plain, track=track)), "kitchen", now_ns=clock())
    validate(message)
    (told,) = message["faces"]
    assert told["angle"] == 12.3
    assert told["landmarks"][0] == [10, 21]
    assert len(told["landmarks"]) == 5
    assert "landmarks" not in faces_message(result(plain), "kitchen", now_ns=clock())["faces"][0]
