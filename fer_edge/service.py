"""The daemon: runs the assembled parts until a signal, the end of a recording, or an error."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fer_edge.assembly import Parts, assemble
from fer_edge.backoff import Backoff
from fer_edge.config import Config, RetryConfig
from fer_edge.heartbeat import Heartbeat, warn_of_long_waits
from fer_edge.pipeline import Pipeline, run_inline
from fer_edge.signals import Signals
from fer_edge.system.sdnotify import Notifier
from fer_edge.types import Sink

log = logging.getLogger(__name__)

POLL_S = 0.1
"""How often the main thread looks for a signal, a stage that ended, and progress."""

CONNECT_S = 5.0
"""How long a recording waits for a sink's connection."""

SHUTDOWN_S = 1.5
"""How long all stages together may take to end; the whole shutdown must take less than two seconds."""


@dataclass(frozen=True)
class Ending:
    """How a run ended."""

    hanging: Sequence[str] = ()
    """Names of threads that hang and were left behind; nobody may wait for them."""
    restart: bool = False
    """Whether it is to begin again, as somebody asked for."""


def run(config: Config, notifier: Notifier) -> Ending:
    """Run until a signal, the end of a recording, an error, or a command to restart.

    Raises:
        FerEdgeError: something that ends the service, in one line.
    """
    with Signals() as signals, assemble(config) as parts:
        log.info("source %s, model %s", parts.source.name, parts.stages.classifier.card.name)
        warn_of_long_waits(config, notifier.watchdog_interval_s)
        if parts.fast:
            _run_fast(parts, notifier, signals)
            return Ending()
        return _run_threaded(parts, config.retry, notifier, signals)


def _run_fast(parts: Parts, notifier: Notifier, signals: Signals) -> None:
    """Every frame of a recording, as quickly as they can be processed."""
    _await_connections(parts.sinks, signals)
    notifier.ready("processing a recording")

    def stopping() -> bool:
        notifier.watchdog()  # asked once a frame: a frame got through
        return signals.taken

    run_inline(
        parts.source,
        parts.stages.vision,
        parts.stages.affect,
        parts.sinks,
        statistics=parts.stages.statistics,
        watchers=parts.watchers,
        stopping=stopping,
    )


def _await_connections(sinks: Sequence[Sink], signals: Signals) -> None:
    """Give a broker a moment: a recording may be over before the connection stands."""
    deadline = time.monotonic() + CONNECT_S
    while any(sink.connected is False for sink in sinks):
        if signals.taken or time.monotonic() > deadline:
            log.warning("not connected after %g s; processing the recording without", CONNECT_S)
            return
        time.sleep(POLL_S)


def _run_threaded(parts: Parts, retry: RetryConfig, notifier: Notifier, signals: Signals) -> Ending:
    """Until a signal, the end of a recording, an error, or a command to restart."""
    statistics = parts.stages.statistics
    pipeline = Pipeline(
        parts.source,
        parts.stages.vision,
        parts.stages.affect,
        parts.sinks,
        backoff=Backoff(retry.initial_s, retry.max_s),
        statistics=statistics,
        watchers=parts.watchers,
    )
    heartbeat = Heartbeat(pipeline, statistics, notifier)

    def restarting() -> bool:
        return parts.controls is not None and parts.controls.restarting

    pipeline.start()
    # Each sink is closed by its own thread now: another would wait for one that hangs.
    parts.closing.pop_all()
    try:
        while not signals.taken and not restarting() and not pipeline.wait(POLL_S):
            heartbeat.beat()
    finally:
        # To systemd a restart of this kind is no end: the process goes on.
        if not restarting():
            heartbeat.stop()
        hanging = pipeline.stop(SHUTDOWN_S)
        if hanging:
            log.warning("left behind, still busy: %s", ", ".join(hanging))
    return Ending(hanging, restart=restarting() and not signals.taken)
