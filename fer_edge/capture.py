"""The first stage: opens the source, reads it, and gets it back when it was lost or turned off."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from fer_edge.backoff import Backoff
from fer_edge.errors import SourceLostError
from fer_edge.stats import Statistics
from fer_edge.types import Frame, Gap, Source
from fer_edge.worker import Worker

log = logging.getLogger(__name__)

POLL_S: Final = 0.1
"""How soon a camera that is waited for reacts to being turned off or on."""

Watcher = Callable[[Frame], None]
"""Called with every frame as it is captured, for a screen; must return at once."""


class Capture:
    """Delivers the frames of a source; a live one is opened again for ever.

    Recognition that is turned off (`Statistics.camera`) closes the source until it is turned on.
    """

    def __init__(
        self,
        source: Source,
        deliver: Callable[[Frame | Gap], None],
        *,
        backoff: Backoff,
        statistics: Statistics,
        watchers: Sequence[Watcher] = (),
    ) -> None:
        """Set up; nothing is opened yet.

        Args:
            source: Where frames come from.
            deliver: Takes every frame, and a `Gap` when pictures cease.
            backoff: Waits between attempts to open a lost camera.
            statistics: Where frames and attempts are counted, and the camera's condition.
            watchers: Called with every frame as it is captured.
        """
        self._source = source
        self._deliver = deliver
        self._backoff = backoff
        self._statistics = statistics
        self._camera = statistics.camera
        self._watchers = watchers
        self._delivered = False
        """Whether a frame was delivered since the last gap."""

    def run(self, worker: Worker) -> None:
        """Until the worker is asked to stop, or a recording has ended.

        Raises:
            SourceError: the source will never deliver a frame, or a recording cannot be read.
        """
        while not worker.stopping:
            if not self._camera.wanted:
                self._stay_off(worker)
                continue
            try:
                if self._stream(worker):
                    return
            except SourceLostError as error:
                if not self._source.live:
                    raise
                worker.free()
                self._lose(str(error))
                self._rest(worker, self._backoff.next())

    def _stream(self, worker: Worker) -> bool:
        """Read what the source delivers, from its opening to its closing; whether it has ended."""
        worker.busy()
        with self._source.open() as stream:
            while self._camera.wanted and not worker.stopping:
                worker.busy()
                frame = stream.read()
                worker.free()
                if frame is None:
                    return True
                self._take(frame)
            worker.busy()
        worker.free()
        return False

    def _take(self, frame: Frame) -> None:
        if self._camera.delivers(frame.stamp.captured_ns):
            log.info("%s: pictures again", self._source.name)
        self._backoff.reset()
        self._statistics.captured.add()
        self._delivered = True
        self._deliver(frame)
        for watch in self._watchers:
            watch(frame)

    def _lose(self, reason: str) -> None:
        self._statistics.retries.add()
        if self._camera.lost(reason):
            log.warning("%s; trying again until it works", reason)
        self._gap(reason)

    def _stay_off(self, worker: Worker) -> None:
        log.info("recognition is off: %s is closed", self._source.name)
        self._gap(self._camera.condition.reason or "")
        while not self._camera.wanted:
            if worker.pause(POLL_S):
                return
            self._statistics.waits.add()
        self._backoff.reset()
        log.info("recognition is on")

    def _gap(self, reason: str) -> None:
        """Say once that what was seen is seen no longer."""
        if self._delivered:
            self._delivered = False
            self._deliver(Gap(time.monotonic_ns(), datetime.now(UTC), reason))

    def _rest(self, worker: Worker, seconds: float) -> None:
        """Wait; less if the worker is to stop, or the camera is turned off."""
        until = time.monotonic() + seconds
        while self._camera.wanted and (left_s := until - time.monotonic()) > 0:
            if worker.pause(min(POLL_S, left_s)):
                return
