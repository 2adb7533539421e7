"""The real program on a real X server, and on a file that stands in for a frame buffer."""

import subprocess
import threading
import time
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from compare import similar
from daemon import call, running

from fer_edge.assembly import assemble
from fer_edge.config import load
from fer_edge.errors import ModelError
from fer_edge.overlay.draw import draw
from fer_edge.overlay.framebuffer import FrameBuffer
from fer_edge.overlay.layout import Placement
from fer_edge.overlay.palette import EMOTION_COLOURS
from fer_edge.overlay.scene import Detail, Scene, ShownFace, Side, Status
from fer_edge.overlay.style import Style
from fer_edge.overlay.text import Typesetter
from fer_edge.overlay.window import Window
from fer_edge.sources.demo import Demo
from fer_edge.types import Box, Emotion

SCREENS = [(1920, 1080), (480, 320)]


@contextmanager
def x_server(size, number):
    process = subprocess.Popen(
        ["Xvfb", f":{number}", "-screen", "0", "{}x{}x24".format(*size), "-nolisten", "tcp"],
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        socket = Path(f"/tmp/.X11-unix/X{number}")
        while not socket.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait()


def screenshot(size, number, path):
    command = ["ffmpeg", "-v", "error", "-y", "-f", "x11grab", "-draw_mouse", "0"]
    command += ["-video_size", "{}x{}".format(*size), "-i", f":{number}", "-frames:v", "1", path]
    subprocess.run(command, check=True)
    return cv2.imread(str(path))


@pytest.fixture(scope="module")
def drawn():
    """The same frame and result of the demo for every screen."""
    with Demo(fast=True).open() as stream:
        frame = next(islice(iter(stream.read, None), 220, None))
    probabilities = np.array([0.09, 0.78, 0.01, 0.06, 0.02, 0.01, 0.01, 0.02], np.float32)
    trail = tuple((0.02 * step - 0.3, 0.5 - 0.01 * step) for step in range(40))
    face = ShownFace(1, Box(312, 483, 291, 291), Emotion.HAPPY, 0.78, probabilities, trail)
    scene = Scene(1920, 1080, (face,), Status(29.8, 43, broker=True))
    typesetter = Typesetter()

    def make(size):
        detail = Detail.FULL if size[0] > 1000 else Detail.CIRCUMPLEX
        style = Style(size, typesetter)
        return draw(frame.picture.bgr(), scene, {1: Placement(detail, Side.RIGHT)}, style)

    return make


@pytest.mark.parametrize("size", SCREENS, ids=str)
def test_a_window(size, drawn, tmp_path, monkeypatch):
    number = 90 + SCREENS.index(size)
    monkeypatch.setenv("DISPLAY", f":{number}")
    with x_server(size, number), closing(Window(fullscreen=True)) as window:
        assert window.size == size
        for _ in range(3):
            window.show(drawn(size))
            time.sleep(0.2)
        image = screenshot(size, number, tmp_path / "screen.png")
    similar(image, "window_{}x{}".format(*size))


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("size", SCREENS, ids=str)
def test_a_frame_buffer(size, bits, drawn, tmp_path):
    device, stride = stand_in(tmp_path, size, bits)
    with closing(FrameBuffer(device)) as screen:
        assert screen.size == size
        screen.show(drawn(size))
    image = unpack(device, size, bits, stride)
    similar(image, "framebuffer_{}x{}_{}".format(*size, bits), least=0.93 if bits == 16 else 0.96)


@pytest.mark.parametrize("privacy", ["camera", "boxes"])
def test_the_daemon_shows_a_happy_face(privacy, tmp_path):
    size = (480, 320)
    device, stride = stand_in(tmp_path, size, 32)
    options = ["--overlay", "auto", "--set", f"overlay.device={device}"]
    options += ["--set", f"overlay.privacy={privacy}"]
    with running("--source", "demo", *options) as daemon:
        daemon.wait_for(lambda: '"happy"' in "".join(daemon.lines[-1:]))
        daemon.wait_for(lambda: said(daemon, f"showing on framebuffer {device}"))
        yellow = EMOTION_COLOURS[Emotion.HAPPY][::-1]
        daemon.wait_for(lambda: (unpack(device, size, 32, stride) == yellow).all(axis=2).sum() > 99)
        first = unpack(device, size, 32, stride)
        daemon.wait_for(lambda: not np.array_equal(unpack(device, size, 32, stride), first))
        assert daemon.stop() < 2
    black = (unpack(device, size, 32, stride)[30:280] == 0).all(axis=2).mean()
    assert black > 0.5 if privacy == "boxes" else black < 0.2


def test_a_screen_before_a_model_that_does_not_load(tmp_path):
    from fer_edge.modelcard import find_card, models_dir

    card = find_card(models_dir(), 0.25, "int8")
    (tmp_path / f"{card.name}.json").write_text(card.model_dump_json())
    (tmp_path / card.file).write_bytes((models_dir() / card.file).read_bytes()[:1000])
    device, _ = stand_in(tmp_path, (480, 320), 32)
    before = device.read_bytes()
    done = call(
        "run", "--source", "demo", "--overlay", "framebuffer",
        *("--set", f"overlay.device={device}", "--set", f"model.directory={tmp_path}"),
    )  # fmt: skip
    assert done.returncode == 78
    assert done.stderr.startswith(f"fer-edge: {tmp_path / card.file}: ")
    assert done.stderr.count("\n") == 1
    assert device.read_bytes() == before


def test_whatever_fails_after_a_screen_was_opened_closes_it(tmp_path):
    size = (480, 320)
    device, stride = stand_in(tmp_path, size, 32)
    section = {"screen": "framebuffer", "device": str(device)}
    config = load(None, overrides={"source": {"type": "demo"}, "overlay": section})
    threads, files = threading.active_count(), psutil.Process().num_fds()

    def fail_once_shown():
        with Demo(fast=True).open() as stream, assemble(config) as parts:
            (watch,) = parts.watchers
            deadline = time.monotonic() + 20
            while not unpack(device, size, 32, stride).any():
                watch(stream.read())
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert threading.active_count() > threads
            raise ModelError("does not load")

    with pytest.raises(ModelError, match="does not load"):
        fail_once_shown()
    assert threading.active_count() == threads
    assert psutil.Process().num_fds() == files, "the frame buffer is closed"


def test_a_display_that_is_set_but_dead_is_no_screen():
    options = ["--overlay", "window", "--set", "retry.max_s=0.2"]
    with running("--source", "demo", *options, DISPLAY=":95") as daemon:
        daemon.wait_for(lambda: said(daemon, "window: no desktop"))
        seen = len(daemon.lines)
        daemon.wait_for(lambda: len(daemon.lines) > seen + 30)
        assert said(daemon, "window: no desktop") == 1
        daemon.stop()


def stand_in(folder, size, bits):
    """A file with rows that end in padding, as many devices' do."""
    width, height = size
    stride = width * bits // 8 + 64
    device = folder / "fb0"
    device.write_bytes(bytes(stride * height))
    description = folder / "fb0.sysfs"
    description.mkdir()
    (description / "virtual_size").write_text(f"{width},{height}\n")
    (description / "stride").write_text(f"{stride}\n")
    (description / "bits_per_pixel").write_text(f"{bits}\n")
    return device, stride


def unpack(device, size, bits, stride):
    """What the screen shows, blue, green, red."""
    rows = np.frombuffer(device.read_bytes(), np.uint8).reshape(size[1], stride)
    used = np.ascontiguousarray(rows[:, : size[0] * bits // 8])
    if bits == 32:
        return used.reshape(size[1], size[0], 4)[:, :, :3].copy()
    return cv2.cvtColor(used.reshape(size[1], size[0], 2), cv2.COLOR_BGR5652BGR)


def test_a_desktop_that_ends_ends_nothing_else_and_may_come_back():
    options = ["--overlay", "window", "--set", "retry.max_s=0.5", "--output", "jsonl"]
    with running("--source", "demo", *options, DISPLAY=":93") as daemon:
        with x_server((640, 480), 93):
            daemon.wait_for(lambda: said(daemon, "showing on window") == 1)
        daemon.wait_for(lambda: said(daemon, "window: the desktop has gone") == 1)
        seen = len(daemon.lines)
        daemon.wait_for(lambda: len(daemon.lines) > seen + 30)
        with x_server((640, 480), 93):
            daemon.wait_for(lambda: said(daemon, "showing on window") == 2)
            assert daemon.stop() < 2
    assert daemon.process.returncode == 0


def test_a_window_that_is_killed_is_opened_anew():
    options = ["--overlay", "window", "--set", "retry.max_s=0.5"]
    with x_server((640, 480), 94), running("--source", "demo", *options, DISPLAY=":94") as daemon:
        daemon.wait_for(lambda: said(daemon, "showing on window") == 1)
        (window,) = psutil.Process(daemon.process.pid).children()
        window.kill()
        daemon.wait_for(lambda: said(daemon, "showing on window") == 2)
        daemon.stop()
    assert not window.is_running()


def test_no_screen_is_one_warning(tmp_path):
    device = tmp_path / "fb0"
    options = ["--overlay", "framebuffer", "--set", f"overlay.device={device}"]
    with running("--source", "demo", *options, "--set", "retry.max_s=0.2") as daemon:
        daemon.wait_for(lambda: len(daemon.lines) >= 60)
        assert said(daemon, "No such file or directory") == 1
        stand_in(tmp_path, (480, 320), 32)
        daemon.wait_for(lambda: said(daemon, "showing on framebuffer") == 1)
        daemon.stop()


def said(daemon, text):
    return sum(text in line for line in list(daemon.errors))
