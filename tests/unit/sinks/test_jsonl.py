import io
import json
import os
import subprocess
import sys

import jsonschema
import pytest

from fer_edge.errors import OutputClosedError
from fer_edge.sinks.jsonl import JsonlSink
from fer_edge.sinks.payload import load_schema


def test_a_lost_camera_is_one_line_with_null_and_no_empty_room(clock, result, face):
    stream = io.StringIO()
    sink = JsonlSink(stream, "kitchen", clock_ns=clock)
    for made in [result(face()), result(lost=True), result(lost=True), result(), result()]:
        sink.put(made)
    messages = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [m["faces"] and len(m["faces"]) for m in messages] == [1, None, []]
    for message in messages:
        jsonschema.validate(message, load_schema())


def test_one_line_a_frame_with_faces_and_one_when_the_last_leaves(clock, result, face):
    stream = io.StringIO()
    sink = JsonlSink(stream, "kitchen", clock_ns=clock)
    for faces in [(), (face(1), face(2)), (face(1),), (), (), ()]:
        clock.tick(0.001)
        sink.put(result(*faces))
        sink.idle()
    sink.close()
    assert not stream.closed
    messages = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [len(m["faces"]) for m in messages] == [2, 1, 0]
    assert [m["seq"] for m in messages] == [1, 2, 3]
    for message in messages:
        jsonschema.validate(message, load_schema())


def test_a_reader_that_has_gone_is_the_end_not_an_error(clock, result, face):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        sink = JsonlSink(stream, "kitchen", clock_ns=clock)
        with pytest.raises(OutputClosedError) as caught:
            sink.put(result(face()))
        sink.close()
    assert caught.value.exit_code == 0


SCRIPT = """
import sys
from datetime import UTC, datetime
from fer_edge.errors import OutputClosedError
from fer_edge.sinks.jsonl import JsonlSink
from fer_edge.types import EMOTIONS, Affect, Box, Face, Result, Stamp, Track
now = datetime.now(UTC)
face = Face(Track(1, Box(0, 0, 9, 9), now), EMOTIONS[0], 1.0, Affect([1.0] + [0.0] * 7, 0.0, 0.0))
sink = JsonlSink(sys.stdout, "kitchen", clock_ns=lambda: 0)
try:
    for seq in range(10**6):
        sink.put(Result(Stamp(seq, 0, now, 64, 48), (face,)))
except OutputClosedError:
    sink.close()
    sys.exit(0)
"""


def test_python_has_nothing_to_say_after_the_reader_has_gone():
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(20) == 0
    assert first["seq"] == 0
    assert errors == b""
