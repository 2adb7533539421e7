"""No picture leaves: every byte that the daemon hands to the kernel is looked at, and is no picture.

strace shows the writes of all threads and children to sockets, pipes and files. Three things are
asked of them: they hold no pixels of the source and no picture format; they are text in words, whatever
a picture might have been turned into; and they are no more than the messages need. The same questions
are put to small programs that do leak.
"""

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from broker import Broker, Recorder
from daemon import PROGRAM, environment
from pictures_in import chunks_of, find_pictures
from streams import ffmpeg, needs_ffmpeg
from syscalls import read_trace, traced

from fer_edge.config import FileSource
from fer_edge.sources import open_source
from fer_edge.sources.demo import Demo

pytestmark = needs_ffmpeg

SIZE = (640, 480)
RATE = 10
FRAMES = 50
MESSAGE_BYTES = 4096
"""Longest message of one face; a face of 32 by 32 pixels would be 1024 bytes a frame, 100 a second."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A face in front of noise, without loss: what is decoded is known byte by byte."""
    path = tmp_path_factory.mktemp("clip") / "face.mkv"
    noise = np.random.default_rng(7).integers(0, 256, (96, SIZE[0], 3), np.uint8)
    raw = path.with_suffix(".bgr")
    with Demo(size=SIZE, faces=1, fps=RATE, fast=True).open() as stream, raw.open("wb") as file:
        for _ in range(FRAMES):
            frame = stream.read().picture.bgr().copy()
            frame[:96] = noise
            file.write(frame.tobytes())
    form = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{SIZE[0]}x{SIZE[1]}", "-r", RATE]
    ffmpeg(*form, "-i", raw, "-c:v", "ffv1", path)
    raw.unlink()
    return path


@pytest.fixture(scope="module")
def pictures(clip):
    """What the daemon sees: luma and colours of every frame."""
    source = open_source(FileSource(type="file", path=clip, fast=True))
    found = []
    with source.open() as stream:
        while (frame := stream.read()) is not None:
            found += [frame.picture.gray(), frame.picture.bgr()]
    assert len(found) == 2 * FRAMES
    return found


@pytest.fixture(scope="module")
def known(pictures):
    return chunks_of(pictures)


def leaks(trace, known):
    """What nobody may find, each with where it was found."""
    found = [
        f"{one.target}: {what}" for one in trace.written for what in find_pictures(one.data, known)
    ]
    # A picture may also go in pieces.
    whole = {}
    for one in trace.written:
        whole[one.target] = whole.get(one.target, b"") + one.data
    found += [
        f"{target}: {what}, in pieces"
        for target, data in whole.items()
        for what in find_pictures(data, known)
        if what in {"pixels of the source", "binary data", "an encoded block"}
    ]
    return found + [f"unseen: {call}" for call in trace.unseen]


# --- The daemon --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(clip, tmp_path_factory):
    """A run with everything on that publishes, but no screen: its trace, and what a subscriber got."""
    folder = tmp_path_factory.mktemp("run")
    with Broker(folder) as broker, Recorder(broker) as recorder:
        command = [
            *PROGRAM, "--debug", "run", "--source", clip, "--mqtt", broker.url, "--output", "jsonl",
            "--jsonl", folder / "faces.jsonl", "--set", "mqtt.max_rate_hz=100",
            "--set", "mqtt.home_assistant=true", "--set", "mqtt.diagnostics_s=1",
        ]  # fmt: skip
        done = subprocess.run(
            traced(folder, command),
            env=environment(PYTHONDONTWRITEBYTECODE="1", STATE_DIRECTORY=str(folder)),
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-500:]
        messages = list(recorder.messages)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return read_trace(folder), lines, messages, (folder / "faces.jsonl").read_bytes()


def test_faces_were_seen_and_every_way_out_was_watched(run):
    """Otherwise the tests below would hold for a daemon that sleeps, or a trace that misses half."""
    trace, lines, messages, file = run
    assert sum(bool(line["faces"]) for line in lines) > FRAMES / 2
    seen = b"".join(one.data for one in trace.written)
    assert any(message.topic.endswith("/faces") for message in messages)
    assert any(message.topic.startswith("homeassistant/") for message in messages)
    assert all(message.payload in seen for message in messages)
    assert all(line in seen for line in file.splitlines())
    assert file.count(b"\n") == len(lines)


def test_nothing_that_was_written_is_a_picture(run, known):
    assert leaks(run[0], known) == []


def test_no_more_is_written_than_messages_need(run):
    trace, lines, messages, _ = run
    amounts = Counter()
    for one in trace.written:
        amounts[one.target] += len(one.data)
    assert max(len(one.data) for one in trace.written) < 4 * MESSAGE_BYTES
    published = sum(len(message.topic) + len(message.payload) + 64 for message in messages)
    sockets = sum(amount for target, amount in amounts.items() if "TCP" in target)
    assert sockets < published + 1000
    assert max(len(json.dumps(line)) for line in lines) < MESSAGE_BYTES
    for target, amount in amounts.items():
        if "TCP" not in target:
            assert amount < len(lines) * MESSAGE_BYTES, target


# --- Programs that leak ------------------------------------------------------------------------------

WAYS = """
import socket, sys, base64, json, mmap, os, tempfile
luma = open(sys.argv[2], "rb").read()
here, there = socket.socketpair()
there.setblocking(True)
def out(data): here.sendall(data)
{}
"""
LEAKS = {
    "a crop, raw": ("out(luma[:4000])", "pixels of the source"),
    "32 pixels": ("out(luma[40_005:40_037])", "pixels of the source"),
    "a few pixels at a time": (
        "[out(luma[n:n+10]) for n in range(0, 200, 10)]",
        "pixels of the source, in pieces",
    ),
    "every second pixel": ("out(luma[:4000:2])", "binary data"),
    "inverted, among text": (
        "out(b'{face: ' + bytes(255 - n for n in luma[:500]) + b'}')",
        "binary data",
    ),
    "base64": ("out(base64.b64encode(luma[:2000:2]))", "an encoded block"),
    "hexadecimal, in lines": (
        "[out(luma[n:n+40:2].hex().encode()) for n in range(0, 800, 40)]",
        "an encoded block, in pieces",
    ),
    "a list": ("out(json.dumps(list(luma[:400:2])).encode())", "a list of numbers"),
    "a JPEG": ("os.write(1, open(sys.argv[3], 'rb').read())", "JPEG"),
    "a JPEG in base64": (
        "print(base64.encodebytes(open(sys.argv[3], 'rb').read()).decode())",
        "JPEG in base64",
    ),
    "a file": ("open(sys.argv[1] + '/out', 'wb').write(luma[:4000])", "pixels of the source"),
    "a message of two parts": ("here.sendmsg([luma[:100], luma[200:300]])", "pixels of the source"),
    "a file in memory": (
        "open(os.memfd_create('x'), 'wb').write(luma[:100])",
        "unseen: memfd_create",
    ),
    "shared memory": ("mmap.mmap(-1, 4096)[:100] = luma[:100]", "unseen: mmap"),
    "a file as memory": (
        "f = open(sys.argv[1] + '/out', 'w+b'); f.truncate(4096); mmap.mmap(f.fileno(), 0)[:100] = luma[:100]",
        "unseen: mmap",
    ),
    "from descriptor to descriptor": (
        "os.sendfile(here.fileno(), os.open(sys.argv[2], 0), 0, 4000)",
        "unseen: sendfile",
    ),
    "a child": ("os.fork() or out(luma[:4000])", "pixels of the source"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found(name, clip, pictures, known, tmp_path):
    import cv2

    line, word = LEAKS[name]
    (tmp_path / "luma").write_bytes(pictures[0].tobytes())
    cv2.imwrite(str(tmp_path / "face.jpg"), pictures[1])
    program = [
        sys.executable,
        "-S",
        "-c",
        WAYS.format(line),
        tmp_path,
        tmp_path / "luma",
        tmp_path / "face.jpg",
    ]
    subprocess.run(traced(tmp_path, program), check=True, capture_output=True, timeout=60)
    found = leaks(read_trace(tmp_path), known)
    assert any(word in one for one in found), found
