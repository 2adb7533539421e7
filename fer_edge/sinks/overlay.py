"""Results to a screen, at the screen's own pace."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from fer_edge.backoff import Backoff
from fer_edge.config import OverlayConfig, RetryConfig, ZoneConfig
from fer_edge.errors import FrameError
from fer_edge.mailbox import Closed, Mailbox
from fer_edge.overlay import Screen, ScreenClosedError
from fer_edge.overlay.renderer import Renderer
from fer_edge.overlay.scene import ShownZone
from fer_edge.overlay.text import Typesetter
from fer_edge.types import Frame, Result
from fer_edge.worker import Worker

log = logging.getLogger(__name__)

NICE = 10
"""On Linux a thread has a niceness of its own: recognition goes first."""

WAIT_S = 5.0
"""Longest wait for a first frame before a screen is chosen: by then a CSI camera is known."""

CLOSE_S = 0.6
"""How long the screen may take to close at the end."""


class OverlaySink:
    """Shows the newest frame with the newest result, in a thread of its own.

    A screen that fails costs one warning, and is opened again until it is back. When a person closes
    the window, showing ends, and recognition goes on.
    """

    name = "overlay"
    connected = None

    def __init__(
        self,
        config: OverlayConfig,
        open_screen: Callable[[], Screen],
        *,
        retry: RetryConfig,
        zones: Sequence[ZoneConfig] = (),
        broker: Callable[[], bool | None] = lambda: None,
    ) -> None:
        """Set up; nothing is opened yet.

        Args:
            config: What is shown, and how often.
            open_screen: Opens the screen, again and again.
            retry: How often to try.
            zones: Parts of the picture to draw.
            broker: Whether the broker is connected; None where none is configured.

        Raises:
            ConfigError: the font cannot be used.
        """
        self._interval_s = 1 / config.fps
        self._open_screen = open_screen
        self._backoff = Backoff(retry.initial_s, retry.max_s)
        self._renderer = Renderer(
            typesetter=Typesetter(config.font),
            words=config.names.given() if config.names is not None else {},
            scale=config.scale,
            picture=config.privacy == "camera",
            landmarks=config.landmarks,
            zones=[ShownZone(one.name, one.points, one.use == "ignore") for one in zones],
            broker=broker,
        )
        self._frames: Mailbox[Frame] = Mailbox(1)
        self._results: Mailbox[tuple[Result, int]] = Mailbox(1)
        self._condition = ""
        self._worker = Worker("overlay", self._run)

    def start(self) -> None:
        """Begin to show; returns at once."""
        self._worker.start()

    def watch(self, frame: Frame) -> None:
        """Shown every frame as it is captured."""
        self._frames.put(frame)

    def put(self, result: Result) -> None:
        """Take one result."""
        self._renderer.count()
        self._results.put((result, time.monotonic_ns()))

    def idle(self) -> None:
        """Nothing to do: the thread has its own clock."""

    def close(self) -> None:
        """Stop showing; a screen that hangs is left behind."""
        self._worker.stop()
        self._frames.close(discard=True)
        self._results.close(discard=True)
        if not self._worker.join(CLOSE_S):
            log.warning("overlay: the screen hangs; left behind")

    def _run(self, worker: Worker) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        with contextlib.suppress(Closed):
            if (frame := self._frames.get(WAIT_S)) is not None:
                self._renderer.frame(frame)
            while not worker.stopping:
                try:
                    self._present(worker)
                except Closed:
                    return
                except ScreenClosedError as error:
                    log.info("overlay: %s", error)
                    return
                except Exception as error:  # noqa: BLE001 - no fault of a screen may end the daemon
                    self._note(logging.WARNING, f"{_explain(error)}; trying again until it works")
                    worker.pause(self._backoff.next())

    def _present(self, worker: Worker) -> None:
        """One screen from its opening to its loss."""
        with contextlib.closing(self._open_screen()) as screen:
            self._note(logging.INFO, f"showing on {screen.name}")
            due = time.monotonic()
            while not worker.pause(max(0.0, due - time.monotonic())):
                # A screen that is too slow for its rate skips pictures; it does not hurry later.
                due = max(due + self._interval_s, time.monotonic())
                self._take()
                try:
                    image = self._renderer.render(screen.size, transparent=screen.transparent)
                except FrameError:
                    continue  # the vision stage reports it
                screen.show(image)
                self._backoff.reset()

    def _take(self) -> None:
        if (frame := self._frames.get(0)) is not None:
            self._renderer.frame(frame)
        if (result := self._results.get(0)) is not None:
            self._renderer.result(*result)

    def _note(self, level: int, condition: str) -> None:
        """One line for each change of condition, not for each attempt."""
        if condition != self._condition:
            self._condition = condition
            log.log(level, "overlay: %s", condition)


def _explain(error: Exception) -> str:
    """The error for people, in one line."""
    if isinstance(error, OSError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error}"
