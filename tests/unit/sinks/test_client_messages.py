"""The client's models against the schema and against what the daemon makes."""

import json
from dataclasses import replace
from typing import get_args

import pytest
from pydantic import ValidationError

from fer_edge.client import Emotion, Faces
from fer_edge.client import messages as models
from fer_edge.sinks.payload import encode, faces_message, load_schema
from fer_edge.types import EMOTIONS

BOUNDS = {"minimum", "maximum", "minLength", "minItems", "maxItems"}


def flat(node, root, path=""):
    """Every field below `node`: its path to its type and bounds, references followed."""
    while "$ref" in node:
        reference = node["$ref"].removeprefix("#/$defs/")
        node = {**node, **root["$defs"][reference]}
        del node["$ref"]
    if "anyOf" in node:  # a field of a model that may be None
        (node,) = (one for one in node["anyOf"] if one.get("type") != "null")
    kind = node.get("type", "string")
    if isinstance(kind, list):  # an array, or null
        (kind,) = set(kind) - {"null"}
    bounds = frozenset((k, v) for k, v in node.items() if k in BOUNDS)
    found = {path: (kind, bounds, frozenset(node.get("enum", ())))}
    if kind == "object":
        names = node.get("properties") or dict.fromkeys(EMOTIONS, node["additionalProperties"])
        for name, below in names.items():
            found |= flat(below, root, f"{path}.{name}")
    elif kind == "array":
        items = node.get("items") or node["prefixItems"][0]
        found |= flat(items, root, f"{path}[]")
    return found


def required(node, root):
    """Names of required fields by the title of the object."""
    objects = {"faces": root, **root["$defs"]}
    return set(objects[node]["required"])


def test_models_and_schema_have_the_same_fields_with_the_same_bounds():
    schema, model = load_schema(), Faces.model_json_schema()
    assert flat(model, model) == flat(schema, schema), (
        "fer_edge/client/messages.py and fer_edge/sinks/faces.schema.json differ"
    )
    assert required("faces", schema) == required("faces", model)
    assert required("face", schema) == required("Face", model)


def test_the_emotions_are_the_daemons():
    assert get_args(Emotion) == tuple(EMOTIONS)


@pytest.fixture
def payload(result, face, clock):
    plain = face(1)
    points = tuple((10.4 * n, 20.6 * n) for n in range(1, 6))
    track = replace(plain.track, landmarks=points, zone="sofa", still=True)
    marked = replace(plain, track=track)
    return faces_message(result(marked, face(2, emotion=None)), "kitchen", now_ns=clock())


def test_what_the_daemon_makes_is_read_without_a_loss(payload):
    message = Faces.model_validate_json(encode(payload))
    again = json.loads(message.model_dump_json(by_alias=True, exclude_defaults=True))
    assert set(again) == set(payload)
    for mine, theirs in zip(again["faces"], payload["faces"], strict=True):
        assert {**mine, "since": None} == {**theirs, "since": None}
    assert message.largest is message.faces[0]
    assert message.largest.box.center == (200.0, 161.0)
    assert message.captured_at.isoformat() == "2026-01-01T12:00:00+00:00"
    assert message.age_s() > 0


def test_a_newer_daemon_may_say_more(payload):
    payload["schema"] = "fer-edge/faces/99"
    payload["faces"][0]["mood"] = "curious"
    assert Faces.model_validate_json(encode(payload)).faces[0].id == 1


def test_without_pictures_nothing_is_known(payload):
    assert not Faces.model_validate_json(encode(payload)).lost
    message = Faces.model_validate_json(encode(payload | {"faces": None}))
    assert (message.faces, message.lost, message.largest) == ((), True, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [("schema", "fer-edge/state/1"), ("captured_at", "2026-01-01T12:00:00"), ("seq", -1)],
)
def test_what_is_no_faces_message_is_refused(payload, field, value):
    payload[field] = value
    with pytest.raises(ValidationError, match=field):
        Faces.model_validate_json(encode(payload))


def test_values_cannot_be_changed(payload):
    message = Faces.model_validate_json(encode(payload))
    with pytest.raises(ValidationError, match="frozen"):
        message.seq = 5


def test_fields_are_described():
    for model in (models.Face, models.Faces):
        assert all(field.description for field in model.model_fields.values())
