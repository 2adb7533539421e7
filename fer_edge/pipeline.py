"""Runs capture, vision, affect and sinks: in threads, or inline one after the other.

Every stage is a plain callable. `Pipeline` gives each a thread of its own and joins them by
newest-wins mailboxes; `run_inline` calls them in a row, for files and tests, where no frame may be
lost. Neither knows the configuration; `assembly` does.
"""

import logging
import time
from collections.abc import Callable, Sequence

from fer_edge.backoff import Backoff
from fer_edge.capture import Capture, Watcher
from fer_edge.errors import FrameError
from fer_edge.mailbox import Closed, Mailbox
from fer_edge.stats import Statistics
from fer_edge.types import FaceBatch, Frame, Gap, Result, Sink, Source
from fer_edge.worker import Worker, stop_all

log = logging.getLogger(__name__)

SINK_MAILBOX = 8
"""Results that wait for a sink: a write that takes a moment costs nothing, a stuck one little."""

IDLE_S = 0.25
"""How often a sink without results is called for what is due by time."""


def run_inline(
    source: Source,
    vision: Callable[[Frame | Gap], FaceBatch | None],
    affect: Callable[[FaceBatch], Result],
    sinks: Sequence[Sink],
    *,
    statistics: Statistics | None = None,
    watchers: Sequence[Watcher] = (),
    stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Every frame of a recording through every stage, in this thread; sinks are left open.

    Args:
        source: Where frames come from.
        vision: Frame to faces.
        affect: Faces to result.
        sinks: Where results go.
        statistics: Where the stages count.
        watchers: Called with every frame before it is processed.
        stopping: Asked before each frame whether to end.

    Raises:
        FerEdgeError: whatever a part raises, but for a picture that cannot be decoded: that one is
            counted and skipped.
    """
    statistics = statistics or Statistics()
    with source.open() as stream:
        while not stopping() and (frame := stream.read()) is not None:
            statistics.camera.delivers(frame.stamp.captured_ns)
            statistics.captured.add()
            for watch in watchers:
                watch(frame)
            try:
                batch = vision(frame)
            except FrameError as error:
                _count_unreadable(statistics, error)
                continue
            if batch is not None:
                result = affect(batch)
                _count_processed(statistics, result)
                for sink in sinks:
                    sink.put(result)


class Pipeline:
    """The same stages, each in a thread, from `start` to `stop`."""

    def __init__(
        self,
        source: Source,
        vision: Callable[[Frame | Gap], FaceBatch | None],
        affect: Callable[[FaceBatch], Result],
        sinks: Sequence[Sink],
        *,
        backoff: Backoff,
        statistics: Statistics,
        watchers: Sequence[Watcher] = (),
    ) -> None:
        """Join the stages.

        Args:
            source: Where frames come from.
            vision: Frame to faces.
            affect: Faces to result.
            sinks: Where results go; each is closed at the end, by its own thread.
            backoff: Waits between attempts to open a lost camera.
            statistics: Where the stages count.
            watchers: Called with every frame as it is captured.
        """
        self._vision = vision
        self._affect = affect
        self._statistics = statistics
        drops = statistics.drops
        self._frames = Mailbox[Frame | Gap](1, drops=drops.counter("vision"))
        self._batches = Mailbox[FaceBatch](1, drops=drops.counter("affect"))
        self._sinks = [
            (sink, Mailbox[Result](SINK_MAILBOX, drops=drops.counter(sink.name))) for sink in sinks
        ]
        self._frame_source = Capture(
            source,
            self._frames.put,
            backoff=backoff,
            statistics=statistics,
            watchers=watchers,
        )
        self._ended: Mailbox[Worker] = Mailbox(3 + len(sinks))
        self._workers = [
            Worker("capture", self._capture, self._ended),
            Worker("vision", self._run_vision, self._ended),
            Worker("affect", self._run_affect, self._ended),
        ]
        self._workers += [
            Worker(f"sink-{sink.name}", self._deliver(sink, mailbox), self._ended)
            for sink, mailbox in self._sinks
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for worker in self._workers:
            worker.start()

    def wait(self, timeout_s: float) -> bool:
        """Whether every stage has ended, after at most `timeout_s`.

        Raises:
            BaseException: what ended a stage before its time.
        """
        worker = self._ended.get(timeout_s)
        if worker is not None and worker.error is not None:
            raise worker.error
        return not any(worker.alive for worker in self._workers)

    def stop(self, timeout_s: float) -> list[str]:
        """End every stage; names of those that did not end within `timeout_s`."""
        for worker in self._workers:
            worker.stop()
        self._frames.close(discard=True)
        self._batches.close(discard=True)
        for _, mailbox in self._sinks:
            mailbox.close()
        return [worker.name for worker in stop_all(self._workers, timeout_s)]

    def hanging(self, limit_s: float) -> list[str]:
        """Names of the stages whose present step has lasted longer than `limit_s`."""
        return [worker.name for worker in self._workers if worker.busy_s() > limit_s]

    def _capture(self, worker: Worker) -> None:
        try:
            self._frame_source.run(worker)
        finally:
            self._frames.close()

    def _run_vision(self, worker: Worker) -> None:
        try:
            while True:
                item = self._frames.get()
                worker.busy()
                try:
                    batch = self._vision(item) if item is not None else None
                except FrameError as error:
                    _count_unreadable(self._statistics, error)
                else:
                    if batch is not None:
                        self._batches.put(batch)
                worker.free()
        except Closed:
            self._batches.close()

    def _run_affect(self, worker: Worker) -> None:
        try:
            while True:
                batch = self._batches.get()
                if batch is None:
                    continue
                worker.busy()
                result = self._affect(batch)
                self._statistics.faces.set(len(result.faces))
                _count_processed(self._statistics, result)
                for _, mailbox in self._sinks:
                    mailbox.put(result)
                worker.free()
        except Closed:
            for _, mailbox in self._sinks:
                mailbox.close()

    def _deliver(self, sink: Sink, mailbox: Mailbox[Result]) -> Callable[[Worker], None]:
        def run(worker: Worker) -> None:
            try:
                while True:
                    result = mailbox.get(IDLE_S)
                    worker.busy()
                    if result is None:
                        sink.idle()
                    else:
                        sink.put(result)
                    worker.free()
            except Closed:
                worker.busy()
            finally:
                sink.close()

        return run


def _count_processed(statistics: Statistics, result: Result) -> None:
    statistics.processed.add()
    statistics.total.add(time.monotonic_ns() - result.stamp.captured_ns)


def _count_unreadable(statistics: Statistics, error: FrameError) -> None:
    statistics.unreadable.add()
    if statistics.unreadable.count == 1:
        log.warning("%s; skipped, as will be others like it", error)
