"""The daemon: configuration to parts, parts to a running pipeline, signals to an orderly end."""

import logging
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import FrameType
from typing import Self

from fer_edge.affect import Classifier, open_classifier
from fer_edge.affect.smoother import Smoother
from fer_edge.affect.turns import Turns
from fer_edge.backoff import Backoff
from fer_edge.config import Config
from fer_edge.health import Diagnose, Heart, warn_of_long_waits
from fer_edge.pipeline import Pipeline, run_inline
from fer_edge.sinks import open_sinks
from fer_edge.sources import Lend, open_source
from fer_edge.system.logs import quiet_stderr
from fer_edge.system.sdnotify import Notifier
from fer_edge.types import FaceBatch, Frame, Gap, Sink, Source
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.motion import MotionGate
from fer_edge.vision.search import SearchPlan, Watch
from fer_edge.vision.stage import AffectStage, Eyes, Statistics, Vision
from fer_edge.vision.tracker import Tracker

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

POLL_S = 0.1
"""How often the main thread looks for a signal, a stage that ended, and progress."""

CONNECT_S = 5.0
"""How long a recording waits for a sink's connection."""

INSIST_S = 2.0
"""From then on a second signal ends the process; `timeout` and shells may send two in a row."""

SHUTDOWN_S = 1.5
"""How long all stages together may take to end; the promise is two seconds."""


@dataclass(frozen=True)
class Stages:
    """The stages of one run, and what they measure."""

    vision: Vision
    affect: AffectStage
    classifier: Classifier
    statistics: Statistics


def build_stages(config: Config, *, every_frame: bool) -> Stages:
    """Load the model and set up everything between source and sinks.

    Args:
        config: The whole configuration.
        every_frame: Look at each frame, as in a recording, instead of at few while nobody is in
            view.

    Raises:
        ConfigError, ModelError: the configuration or the model cannot be used.
    """
    with quiet_stderr():
        classifier = open_classifier(config.model)
    statistics = Statistics()
    eyes = Eyes(
        open_detector(config.detector),
        Tracker(config.tracking),
        SearchPlan(config.tracking),
        gate=MotionGate(config.detector.search_width),
        watch=None if every_frame else Watch(config.tracking),
        in_parts=not every_frame,
    )
    vision = Vision(
        eyes,
        margin=classifier.card.input.margin,
        crop_px=max(classifier.card.input.width, classifier.card.input.height),
        statistics=statistics,
    )
    turns = Turns(
        max_faces=config.model.max_faces,
        # In a recording every face of every frame is read.
        min_interval_s=0.0 if every_frame else config.model.min_interval_s,
        changed_interval_s=config.model.changed_interval_s,
        mirror=config.model.mirror,
    )
    affect = AffectStage(classifier, turns, Smoother(config.tracking), statistics=statistics)
    return Stages(vision, affect, classifier, statistics)


class Signals:
    """Notes SIGTERM, Ctrl-C and a closed terminal, for whoever looks.

    The handler does nothing but set a flag: it runs between any two instructions of the main
    thread. Whoever insists after `INSIST_S` is obeyed at once: the main thread then hangs, such as
    a recording's, processed fast, into a pipe whose reader has paused. Blocking the signals would
    not do: the threads that numpy and OpenCV start when they are imported have a mask of their own,
    and one of them would take the signal and die of it.
    """

    def __init__(self) -> None:
        self.taken = False
        """Whether one came."""
        self._first_s: float | None = None

    def __enter__(self) -> Self:
        # Who starts a program with nohup wants it to outlive the terminal.
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        numbers = SIGNALS if not ignored else [n for n in SIGNALS if n != signal.SIGHUP]
        self._before = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.taken = True
        now_s = time.monotonic()
        self._first_s = self._first_s or now_s
        if now_s - self._first_s > INSIST_S:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


def run(config: Config, notifier: Notifier) -> list[str]:
    """Run until a signal, the end of a recording, or an error.

    Returns:
        The names of threads that hang and were left behind; the caller must not wait for them.

    Raises:
        FerEdgeError: something that ends the service, in one line.
    """
    started = time.monotonic()
    with Signals() as signals:
        sinks: list[Sink] = []
        lend, watchers = _open_screen(config, sinks)
        source = open_source(config.source, lend=lend)
        fast = not source.live and getattr(config.source, "fast", False)
        stages = build_stages(config, every_frame=fast)
        diagnose = Diagnose(stages.statistics, stages.classifier.card.name, started)
        sinks += open_sinks(config, diagnose)
        log.info("source %s, model %s", source.name, stages.classifier.card.name)
        warn_of_long_waits(config, notifier.watchdog_interval_s)
        if not fast:
            backoff = Backoff(config.retry.initial_s, config.retry.max_s)
            pipeline = Pipeline(
                source,
                stages.vision,
                stages.affect,
                sinks,
                backoff=backoff,
                statistics=stages.statistics,
                watchers=watchers,
            )
            diagnose.pipeline = pipeline
            return _run_threaded(pipeline, Heart(pipeline, stages.statistics, notifier), signals)
        _run_fast(source, stages, sinks, notifier, signals, watchers=watchers)
        return []


def _open_screen(
    config: Config, sinks: list[Sink]
) -> tuple[Lend | None, Sequence[Callable[[Frame], None]]]:
    """Add the screen to `sinks`, if there is to be one.

    Returns:
        Who borrows the camera of the CSI connector, and who is shown every frame.

    Raises:
        ConfigError: the screen's settings cannot be used.
    """
    if config.overlay.screen == "none":
        return None, ()
    from fer_edge.overlay import CameraSlot, screen_opener
    from fer_edge.sinks.overlay import OverlaySink

    def broker() -> bool | None:
        return next((getattr(s, "connected", None) for s in sinks if s.name == "mqtt"), None)

    slot = CameraSlot()
    opener = screen_opener(config.overlay, slot)
    overlay = OverlaySink(config.overlay, opener, retry=config.retry, broker=broker)
    sinks.append(overlay)
    direct = config.overlay.screen in {"auto", "drm"} and config.overlay.privacy == "camera"
    return slot.lend if direct else None, (overlay.watch,)


def _run_fast(
    source: Source,
    stages: Stages,
    sinks: Sequence[Sink],
    notifier: Notifier,
    signals: Signals,
    *,
    watchers: Sequence[Callable[[Frame], None]],
) -> None:
    """Every frame of a recording, as quickly as they can be processed."""
    with ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        _await_connections(sinks, signals)
        notifier.ready("processing a recording")

        def stopping() -> bool:
            notifier.watchdog()  # asked once a frame: a frame got through
            return signals.taken

        def vision(item: Frame | Gap) -> FaceBatch | None:
            if isinstance(item, Frame):
                for watch in watchers:
                    watch(item)
            return stages.vision(item)

        run_inline(
            source,
            vision,
            stages.affect,
            sinks,
            statistics=stages.statistics,
            stopping=stopping,
        )


def _await_connections(sinks: Sequence[Sink], signals: Signals) -> None:
    """Give a broker a moment: a recording may be over before the connection stands."""
    waiting = [sink for sink in sinks if getattr(sink, "connected", True) is False]
    deadline = time.monotonic() + CONNECT_S
    while any(not sink.connected for sink in waiting):  # type: ignore[attr-defined]  # see above
        if signals.taken or time.monotonic() > deadline:
            log.warning("not connected after %g s; processing the recording without", CONNECT_S)
            return
        time.sleep(POLL_S)


def _run_threaded(pipeline: Pipeline, heart: Heart, signals: Signals) -> list[str]:
    """Until a signal, the end of a recording, or an error; names of the threads left behind."""
    pipeline.start()
    try:
        while not signals.taken and not pipeline.wait(POLL_S):
            heart.beat()
    finally:
        heart.stop()
        hanging = pipeline.stop(SHUTDOWN_S)
        if hanging:
            log.warning("left behind, still busy: %s", ", ".join(hanging))
    return hanging
