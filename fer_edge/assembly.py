"""From the configuration to the parts of a run; whatever fails, what was opened before is closed."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_edge.affect import Classifier, open_classifier
from fer_edge.affect.smoother import Smoother
from fer_edge.affect.stage import AffectStage
from fer_edge.affect.turns import Turns
from fer_edge.capture import Watcher
from fer_edge.config import Config
from fer_edge.controls import Controls
from fer_edge.modelcard import ModelCard
from fer_edge.quiet import quiet_stderr
from fer_edge.sinks import open_output, open_sinks
from fer_edge.sources import Lend, open_source
from fer_edge.statefile import StateFile, state_path
from fer_edge.stats import Statistics
from fer_edge.system.diagnostics import Diagnostics
from fer_edge.types import Sink, Source
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.motion import MotionGate
from fer_edge.vision.search import IdleRate, Search, SearchSchedule
from fer_edge.vision.stage import VisionStage
from fer_edge.vision.stillness import Stillness
from fer_edge.vision.tracker import Tracker
from fer_edge.vision.zones import Zones

if TYPE_CHECKING:
    from fer_edge.overlay import Screen


@dataclass(frozen=True)
class Stages:
    """The stages of one run, and what they measure."""

    vision: VisionStage
    affect: AffectStage
    smoother: Smoother
    classifier: Classifier
    statistics: Statistics


@dataclass(frozen=True)
class Parts:
    """Everything of one run, opened."""

    source: Source
    stages: Stages
    sinks: Sequence[Sink]
    watchers: Sequence[Watcher]
    """Called with every frame as it is captured."""
    controls: Controls | None
    """What commands from a broker change; None where none are taken."""
    fast: bool
    """Every frame of a recording, as quickly as they can be processed."""
    closing: ExitStack
    """Closes the sinks at the end; `pop_all` it when somebody else does."""


@contextmanager
def assemble(config: Config) -> Iterator[Parts]:
    """Open the parts of a run; leaving the context closes them.

    Raises:
        ConfigError, ModelError: the configuration or the model cannot be used.
        SinkError: an output cannot be opened.
    """
    started_s = time.monotonic()
    screen = _prepare_screen(config)
    source = open_source(config.source, lend=screen.lend if screen else None)
    fast = not source.live and getattr(config.source, "fast", False)
    stages = assemble_stages(config, every_frame=fast)
    state = StateFile(state_path(config.device)) if config.mqtt.url is not None else None
    controls = None if fast else _controls(config, stages, state)
    diagnostics = Diagnostics(
        stages.statistics,
        lambda: controls.model_name if controls else stages.classifier.card.name,
        started_s,
    )
    with ExitStack() as closing:
        opened = open_sinks(
            config,
            diagnostics.read,
            stages.statistics.camera,
            controls=controls,
            state=state,
        )
        sinks = [_started(sink, closing) for sink in opened]
        watchers: list[Watcher] = []
        if screen is not None:
            from fer_edge.sinks.overlay import OverlaySink

            broker = next((sink for sink in sinks if sink.name == "mqtt"), None)
            overlay = OverlaySink(
                config.overlay,
                screen.open,
                retry=config.retry,
                zones=config.zones,
                broker=lambda: None if broker is None else broker.connected,
            )
            sinks.append(_started(overlay, closing))
            watchers.append(overlay.watch)
        # Last: from here on the terminal belongs to the table.
        output = open_output(config.output, config.device, sys.stdout)
        if output is not None:
            sinks.append(_started(output, closing))
        yield Parts(source, stages, sinks, watchers, controls, fast, closing)


def assemble_stages(config: Config, *, every_frame: bool) -> Stages:
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
    smoother = Smoother(config.tracking)
    return Stages(
        _assemble_vision(config, classifier.card, statistics, every_frame=every_frame),
        _assemble_affect(config, classifier, smoother, statistics, every_frame=every_frame),
        smoother,
        classifier,
        statistics,
    )


def _assemble_vision(
    config: Config, card: ModelCard, statistics: Statistics, *, every_frame: bool
) -> VisionStage:
    detector = open_detector(config.detector)
    zones = Zones(config.zones)
    search = Search(
        detector,
        SearchSchedule(config.tracking),
        gate=MotionGate(config.detector.search_width, zones),
        in_parts=not every_frame,
        searches=statistics.searches,
    )
    return VisionStage(
        detector,
        Tracker(config.tracking),
        search,
        zones=zones,
        stillness=Stillness(config.tracking.still_after_s),
        idle=None if every_frame else IdleRate(config.tracking),
        margin=card.input.margin,
        crop_px=max(card.input.width, card.input.height),
        statistics=statistics,
    )


def _assemble_affect(
    config: Config,
    classifier: Classifier,
    smoother: Smoother,
    statistics: Statistics,
    *,
    every_frame: bool,
) -> AffectStage:
    turns = Turns(
        max_faces=config.model.max_faces,
        # In a recording every face of every frame is read.
        min_interval_s=0.0 if every_frame else config.model.min_interval_s,
        changed_interval_s=config.model.changed_interval_s,
        mirror=config.model.mirror,
    )
    return AffectStage(
        classifier,
        turns,
        smoother,
        averaged_temperature=classifier.card.averaged_temperature,
        statistics=statistics,
    )


def _controls(config: Config, stages: Stages, state: StateFile | None) -> Controls | None:
    """What commands change, with the settings of an earlier run; None where none are taken."""
    if state is None or not config.mqtt.takes_commands:
        return None
    controls = Controls(
        config,
        camera=stages.statistics.camera,
        affect=stages.affect,
        smoother=stages.smoother,
        classifier=stages.classifier,
        state=state,
    )
    controls.restore()
    return controls


def _started(sink: Sink, closing: ExitStack) -> Sink:
    closing.callback(sink.close)
    sink.start()
    return sink


@dataclass(frozen=True)
class _PreparedScreen:
    """A screen that is not open yet."""

    open: Callable[[], "Screen"]
    lend: Lend | None
    """Borrows the camera of the CSI connector; None: it is not shown directly."""


def _prepare_screen(config: Config) -> _PreparedScreen | None:
    """What opens the configured screen; None without one.

    Raises:
        ConfigError: the screen's settings cannot be used.
    """
    if config.overlay.screen == "none":
        return None
    from fer_edge.overlay import CameraSlot, screen_opener

    slot = CameraSlot()
    direct = config.overlay.screen in {"auto", "drm"} and config.overlay.privacy == "camera"
    return _PreparedScreen(screen_opener(config.overlay, slot), slot.lend if direct else None)
