"""Frames and results in, pictures for a screen out: everything but threads and screens."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from fer_edge.overlay.animate import Animator, Arranger
from fer_edge.overlay.canvas import Image
from fer_edge.overlay.draw import draw
from fer_edge.overlay.layout import View
from fer_edge.overlay.scene import ShownZone, Status
from fer_edge.overlay.style import ENGLISH, Style
from fer_edge.overlay.text import Typesetter
from fer_edge.stats import NS_PER_S, LatencyMeter, RateMeter
from fer_edge.types import Frame, Result

STATUS_S = 0.5
"""How often the figures in the corner change: if it were quicker, they could not be read."""

MAX_FRAME_AGE_S = 2.0
"""An older frame is not shown: the camera is lost."""


class Renderer:
    """Renders what is shown, from the newest frame and the newest result."""

    def __init__(
        self,
        *,
        typesetter: Typesetter,
        words: Mapping[str, str] | None = None,
        scale: float = 1.0,
        picture: bool = True,
        landmarks: bool = False,
        zones: Sequence[ShownZone] = (),
        broker: Callable[[], bool | None] = lambda: None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Set up without a frame or a result.

        Args:
            typesetter: The font.
            words: Translations of words in `ENGLISH`.
            scale: Factor on the size of text.
            picture: False for boxes on black.
            landmarks: Draw those that the detector finds.
            zones: Parts of the picture to draw.
            broker: Whether the broker is connected; None where none is configured.
            clock_ns: The clock of `Stamp.captured_ns`.
        """
        self._words = {**ENGLISH, **(words or {})}
        self._picture = picture
        self._broker = broker
        self._clock_ns = clock_ns
        self._animator = Animator(landmarks=landmarks, zones=zones)
        self._arranger = Arranger()
        self._rate = RateMeter(2.0, clock_ns=clock_ns)
        self._latency = LatencyMeter(30)
        self._frame: Frame | None = None
        self._status = Status()
        self._status_ns: int | None = None
        self._style = lru_cache(maxsize=2)(
            lambda size, transparent: Style(
                size, typesetter, self._words, scale=scale, transparent=transparent
            )
        )

    def frame(self, frame: Frame) -> None:
        """A new frame."""
        self._frame = frame

    def result(self, result: Result, taken_ns: int) -> None:
        """A new result, and when it came, on the clock of `clock_ns`."""
        self._latency.add(taken_ns - result.stamp.captured_ns)
        self._animator.update(result)

    def count(self) -> None:
        """One more result, shown or not; from any thread."""
        self._rate.add()

    def render(self, size: tuple[int, int], *, transparent: bool) -> Image:
        """The picture for a screen of this size; transparent: the camera's own is behind it.

        Raises:
            FrameError: the frame cannot be decoded.
        """
        now_ns = self._clock_ns()
        frame = self._frame
        if frame is None or now_ns - frame.stamp.captured_ns > MAX_FRAME_AGE_S * NS_PER_S:
            self._animator.clear()
            frame = None
        notice = "" if frame is not None else self._words["no_picture"]
        scene = self._animator.scene(self._refresh_status(now_ns), notice)
        style = self._style(size, transparent)
        placements, labels = self._arranger.arrange(scene, style, now_ns)
        picture = None
        if frame is not None and self._picture and not transparent:
            picture = frame.picture.bgr(View.of((scene.width, scene.height), size).area.width)
        return draw(picture, scene, placements, style, labels)

    def _refresh_status(self, now_ns: int) -> Status:
        if self._status_ns is None or now_ns - self._status_ns >= STATUS_S * NS_PER_S:
            self._status_ns = now_ns
            summary = self._latency.summary_ms()
            latency_ms = None if summary is None else summary["p50"]
            self._status = Status(self._rate.rate_hz(), latency_ms, self._broker())
        return self._status
