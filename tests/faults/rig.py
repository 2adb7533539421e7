"""The real daemon between a real broker and a real stream, for faults to be put to."""

import contextlib
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from broker import Broker, free_port
from daemon import Daemon, NotifySocket, running
from fault import Setup, Unhealed
from faulty_camera import FaultyCamera
from machine import ReplacedClock, small_disk
from proxy import Proxy
from streams import FFMPEG, demo_jpegs, ffmpeg, ffmpeg_camera
from watcher import Watcher

DEVICE = "faults"
PREFIX = f"fer-edge/{DEVICE}"
FPS = 15.0
START_S = 60.0
WARM_S = 6.0
"""From the first face until memory is measured: buffers and caches are full by then."""
WATCHDOG_S = 30
"""WatchdogSec of systemd/fer-edge.service."""
MODEL = "mobilenet_v1_0.25_112_int8"


@cache
def pictures(width: int, height: int) -> list[bytes]:
    """Four seconds of the demo, as JPEGs."""
    return demo_jpegs(60, size=(width, height))


@dataclass(frozen=True)
class Snapshot:
    """How the process is, and what it has published of itself."""

    rss_mb: float
    threads: int
    descriptors: int
    counters: dict[str, int]
    log_lines: int


class Rig:
    """Everything around one daemon; ended by the end of the `with` block."""

    def __init__(self, setup: Setup, *, pace: float = 1.0) -> None:
        """Nothing is started yet.

        Args:
            setup: What stands around the daemon.
            pace: Makes all holds of a fault so much longer.
        """
        self.setup = setup
        self.pace = pace
        self.may_end = False
        """Whether the daemon may end while a fault is held."""
        self.shift_s = 0.0
        """What the daemon's wall clock is fast by."""
        self.pings: list[float] = []
        """time.monotonic() of every WATCHDOG=1."""
        self.camera_url = ""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._listen(stack)
            (self.folder / "broker").mkdir()
            users = {"watcher": "watches", DEVICE: "right"}
            self.broker = stack.enter_context(Broker(self.folder / "broker", users=users))
            (self.folder / "password").write_text("right\n")
            self.url = self.broker.url
            if self.setup.slow_link:
                self.link = stack.enter_context(Proxy(self.broker.port))
                self.url = self.link.url
            self.watcher = stack.enter_context(Watcher(self.broker, PREFIX, "watcher", "watches"))
            self._open_camera(stack)
            if self.setup.disk:
                self.disk = stack.enter_context(small_disk(self.folder))
            if self.setup.clock:
                self.clock = ReplacedClock(self.folder)
            if self.setup.model:
                self.models = self._copy_model()
            self._daemons = stack.enter_context(contextlib.ExitStack())
            self.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Start the daemon; back when it has published a face, and has warmed up."""
        self.launch()
        begun = time.time()
        self.wait_for(lambda: self.faces_since(begun), START_S, "no face after the start")
        time.sleep(WARM_S)

    def launch(self) -> None:
        """Start the daemon, and do not wait."""
        extra = {"NOTIFY_SOCKET": str(self._notify.path), "WATCHDOG_USEC": f"{WATCHDOG_S}000000"}
        extra["XDG_STATE_HOME"] = extra["STATE_DIRECTORY"] = str(self.folder)
        if self.setup.clock:
            extra |= self.clock.environment
        self.daemon: Daemon = self._daemons.enter_context(running(*self.arguments(), **extra))

    def arguments(self) -> list[str]:
        """Those of `fer-edge run`: the defaults, but for what has to be named."""
        settings = {
            "device": DEVICE,
            "mqtt.username": DEVICE,
            "mqtt.password_file": str(self.folder / "password"),
            "mqtt.diagnostics_s": "1",
            "mqtt.commands": "on",
        }
        if self.setup.disk:
            settings["jsonl.path"] = str(self.disk / "faces.jsonl")
        if self.setup.model:
            settings["model.directory"] = str(self.models)
        arguments = ["--source", self.camera_url, "--mqtt", self.url, "--output", "none"]
        for key, value in settings.items():
            arguments += ["--set", f"{key}={value}"]
        return [*arguments, *self.setup.arguments]

    def hold(self, seconds: float) -> None:
        """Leave the fault as it is for some time. Raises Unhealed if the daemon ends."""
        deadline = time.monotonic() + seconds * self.pace
        while time.monotonic() < deadline:
            self.check_alive()
            time.sleep(0.1)

    def check_alive(self) -> None:
        """Raise Unhealed if the daemon has ended, and may not."""
        code = self.daemon.process.poll()
        if code is not None and not self.may_end:
            raise Unhealed(f"it ended with {code}: {' / '.join(self.daemon.errors[-2:])}")

    def wait_for(self, condition: object, timeout_s: float, otherwise: str) -> None:
        """Until `condition()` is true. Raises Unhealed with `otherwise` if that never comes."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.check_alive()
            if time.monotonic() > deadline:
                raise Unhealed(f"{otherwise}; {' / '.join(self.daemon.errors[-2:])}")
            time.sleep(0.05)

    def faces_since(self, when: float) -> list[float]:
        """Seconds from `when` until each message with a face that was taken after it came."""
        recent = [one for one in self.watcher.faces[-200:] if one.at > when]
        return [one.at - when for one in recent if one.captured_at - self.shift_s > when]

    def snapshot(self) -> Snapshot:
        """As of now."""
        process = psutil.Process(self.daemon.process.pid)
        published = self.watcher.json("diagnostics")
        counters = {f"dropped before {k}": v for k, v in published.get("dropped", {}).items()}
        for name in ("unreadable_frames", "source_retries"):
            counters[name] = published.get(name, 0)
        counters |= {f"mqtt {k}": published["mqtt"][k] for k in ("connects", "dropped")}
        return Snapshot(
            process.memory_info().rss / 2**20,
            process.num_threads(),
            process.num_fds(),
            counters,
            len(self.daemon.errors),
        )

    def _listen(self, stack: contextlib.ExitStack) -> None:
        self._notify = NotifySocket(self.folder)
        stack.callback(self._notify.close)
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                if ("WATCHDOG", "1") in self._notify.listen(0.2):
                    self.pings.append(time.monotonic())
                self._notify.heard.clear()

        thread = threading.Thread(target=listen)
        thread.start()
        stack.callback(thread.join)
        stack.callback(ended.set)

    def _open_camera(self, stack: contextlib.ExitStack) -> None:
        if self.setup.ffmpeg:
            assert FFMPEG, "ffmpeg is missing: apt install ffmpeg"
            self.clip = _clip(self.folder)
            self.camera_port = free_port()
            self.camera_url = f"http://127.0.0.1:{self.camera_port}/"
            self.film = contextlib.ExitStack()
            stack.enter_context(self.film)
            self.begin_film()
        else:
            self.camera = stack.enter_context(_serving())
            self.camera_url = self.camera.url

    def begin_film(self) -> None:
        """ffmpeg begins to be a camera; `film.close()` kills it."""
        self.film.enter_context(ffmpeg_camera(self.clip, self.camera_port, "-q:v", "3"))

    def _copy_model(self) -> Path:
        folder = self.folder / "models"
        folder.mkdir()
        for file in (Path(__file__).parents[2] / "models").glob(f"{MODEL}.*"):
            shutil.copy(file, folder)
        return folder


def _clip(folder: Path) -> Path:
    for number, jpeg in enumerate(pictures(640, 360)):
        (folder / f"{number:03}.jpg").write_bytes(jpeg)
    clip = folder / "clip.mkv"
    ffmpeg("-framerate", FPS, "-i", folder / "%03d.jpg", "-c:v", "copy", clip)
    return clip


@contextlib.contextmanager
def _serving() -> Iterator[FaultyCamera]:
    camera = FaultyCamera(pictures(640, 360), fps=FPS)
    thread = threading.Thread(target=camera.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        camera.endless = False
        camera.close_now.set()
        camera.hang.clear()
        camera.shutdown()
        camera.server_close()
        thread.join(5)
