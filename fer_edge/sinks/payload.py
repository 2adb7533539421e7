"""What is published, as JSON; pure, and versioned in each message's `schema`.

A change of a field's meaning, a new field or one less needs a new number in the schema's name. Times are
RFC 3339 in UTC with milliseconds. `faces.schema.json` is the contract of `faces`.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from fer_edge.camera import CameraCondition
from fer_edge.stats import NS_PER_MS
from fer_edge.types import EMOTIONS, UNCERTAIN, Box, Face, Result

JsonObject = dict[str, Any]

FACES_SCHEMA = "fer-edge/faces/3"
STATE_SCHEMA = "fer-edge/state/2"
CAMERA_SCHEMA = "fer-edge/camera/1"
DIAGNOSTICS_SCHEMA = "fer-edge/diagnostics/1"

NO_FACE = "none"
"""In place of the emotion in `state` while there is no face."""

DECIMALS = 4
"""Decimals of probabilities, valence and arousal: more precise than any model."""


def faces_message(result: Result, device: str, *, now_ns: int) -> JsonObject:
    """One processed frame; `now_ns` on the clock of `captured_ns` makes the latency.

    Boxes are in whole pixels of the frame, largest first, and may reach over its edge. `seq` rises;
    its gaps are frames that were dropped or had no face. `faces` is null where there is no picture.
    """
    stamp = result.stamp
    return {
        "schema": FACES_SCHEMA,
        "device": device,
        "seq": stamp.seq,
        "captured_at": timestamp(stamp.captured_at),
        "latency_ms": round((now_ns - stamp.captured_ns) / NS_PER_MS, 1),
        "frame": {"width": stamp.width, "height": stamp.height},
        "faces": None if result.lost else [_face(face) for face in result.faces],
    }


def state_message(result: Result, device: str) -> JsonObject:
    """How many faces there are, and what the largest of them shows."""
    message: JsonObject = {
        "schema": STATE_SCHEMA,
        "device": device,
        "seq": result.stamp.seq,
        "captured_at": timestamp(result.stamp.captured_at),
        "faces": len(result.faces),
        "emotion": NO_FACE,
        "confidence": None,
        "valence": None,
        "arousal": None,
    }
    if result.faces:
        face = _face(result.faces[0])
        message |= {key: face[key] for key in ("emotion", "confidence", "valence", "arousal")}
    return message


def blind_state_message(device: str) -> JsonObject:
    """The state while there are no pictures: nothing is known, not even that nobody is there."""
    fields = ("seq", "captured_at", "faces", "emotion", "confidence", "valence", "arousal")
    return {"schema": STATE_SCHEMA, "device": device, **dict.fromkeys(fields)}


def camera_message(condition: CameraCondition, device: str, *, since: datetime) -> JsonObject:
    """Whether the camera delivers pictures; `since` is the condition's `since_ns` in UTC."""
    return {
        "schema": CAMERA_SCHEMA,
        "device": device,
        "available": condition.available,
        "reason": condition.reason,
        "since": timestamp(since),
    }


def somebody_in_view(result: Result) -> bool | None:
    """Whether somebody is; None where there is no picture, and so nobody knows."""
    return None if result.lost else bool(result.faces)


def diagnostics_message(values: Mapping[str, object], device: str, *, at: datetime) -> JsonObject:
    """How the device is doing; `values` are numbers, strings and mappings of them."""
    return {"schema": DIAGNOSTICS_SCHEMA, "device": device, "at": timestamp(at), **values}


def encode(value: Mapping[str, Any]) -> bytes:
    """Compact JSON in UTF-8.

    Raises:
        ValueError: it holds a NaN or an infinity, which JSON does not have.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def load_schema() -> JsonObject:
    """The JSON Schema (2020-12) of `faces`, as it ships with the package."""
    text = resources.files("fer_edge.sinks").joinpath("faces.schema.json").read_text("utf-8")
    schema: JsonObject = json.loads(text)
    return schema


def timestamp(moment: datetime) -> str:
    """RFC 3339, UTC, milliseconds."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def _face(face: Face) -> JsonObject:
    probabilities = zip(EMOTIONS, face.affect.probabilities, strict=True)
    message = {
        "id": face.track.id,
        "box": _box(face.track.box),
        "angle": round(float(face.track.angle), 1),
        "emotion": UNCERTAIN if face.emotion is None else face.emotion.value,
        "confidence": round(float(face.confidence), DECIMALS),
        "probabilities": {emotion.value: round(float(p), DECIMALS) for emotion, p in probabilities},
        "valence": round(float(face.affect.valence), DECIMALS),
        "arousal": round(float(face.affect.arousal), DECIMALS),
        "since": timestamp(face.track.since),
    }
    if face.track.landmarks:
        message["landmarks"] = [[round(x), round(y)] for x, y in face.track.landmarks]
    return message


def _box(box: Box) -> JsonObject:
    return {
        "x": round(box.x),
        "y": round(box.y),
        "width": round(box.width),
        "height": round(box.height),
    }
