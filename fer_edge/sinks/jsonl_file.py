"""JSON lines to a file, which may be full, gone or read-only for a while."""

import errno
import logging
import time
from collections.abc import Callable
from pathlib import Path

from fer_edge.backoff import Backoff
from fer_edge.config import JsonlConfig, RetryConfig
from fer_edge.errors import OutputClosedError, SinkError
from fer_edge.sinks._lines import LinesFile
from fer_edge.sinks.payload import encode, faces_message, somebody_in_view
from fer_edge.types import Result

log = logging.getLogger(__name__)

PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE}
"""Errors at the start that are no mistake of the configuration: tried again like later ones."""

MB = 1_000_000
HOUR_S = 3600.0

QUIET_NS = 60_000_000_000
"""A disk on whose edge lines just fit, or not, is reported once in so long."""


class JsonlFileSink:
    """Writes every processed frame with faces, and one without when the last face has left.

    When pictures cease, one line says with `null` that nobody knows who is in view.  A file that cannot be written is one warning. Lines are lost until it can be, and recognition and
    the other sinks go on.
    """

    name = "jsonl"
    connected = None

    def __init__(
        self,
        path: Path,
        config: JsonlConfig,
        device: str,
        *,
        retry: RetryConfig,
        strict: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Open `path`.

        Args:
            path: The file, a device, or a named pipe that somebody reads.
            config: When to begin a new file.
            device: Name of this device.
            retry: Waits between attempts to write again.
            strict: Raise instead of losing lines, for recordings.
            clock_ns: Monotonic time.

        Raises:
            SinkError: the file cannot be opened, and another attempt would not help.
        """
        self._path = path
        self._config = config
        self._device = device
        self._strict = strict
        self._clock_ns = clock_ns
        self._backoff = Backoff(retry.initial_s, retry.max_s)
        self._somebody: bool | None = False
        self._file: LinesFile | None = None
        self._lost = 0
        self._failed = False
        self._said = False
        self._next_ns = self._quiet_until_ns = 0
        try:
            self._file = self._open()
        except OSError as error:
            if strict or error.errno not in PASSING:
                raise SinkError(
                    f"jsonl.path: cannot write {path}: {error.strerror}; check folder and owner"
                ) from None
            self._fail(error)

    def start(self) -> None:
        """The file is open already, or is tried again with each line."""

    def put(self, result: Result) -> None:
        """Write a line if there are faces, or it is news that there are none.

        Raises:
            OutputClosedError: the reader of the pipe has gone.
            SinkError: the line cannot be written, and none may be lost.
        """
        somebody = somebody_in_view(result)
        if not somebody and somebody == self._somebody:
            return
        self._somebody = somebody
        if self._failed and self._clock_ns() < self._next_ns:
            self._lost += 1
            return
        line = encode(faces_message(result, self._device, now_ns=self._clock_ns())) + b"\n"
        try:
            self._file = self._file or self._open()
            self._file.write(line)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise OutputClosedError(f"{self._path}: the reader has gone") from None
            if self._strict:
                raise SinkError(
                    f"{self._path}: cannot write: {error.strerror}; free space or set another path"
                ) from None
            self._fail(error)
            self._lost += 1
        else:
            self._succeed()

    def idle(self) -> None:
        """Nothing is due by time."""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> LinesFile:
        return LinesFile(
            self._path,
            max_bytes=self._config.max_mb * MB,
            max_age_s=self._config.max_age_h * HOUR_S,
            keep=self._config.keep,
        )

    def _fail(self, error: OSError) -> None:
        # Opened anew: what stands at the path may be another file by then.
        self.close()
        self._next_ns = self._clock_ns() + round(self._backoff.next() * 1e9)
        self._failed = True
        if not self._said and self._clock_ns() >= self._quiet_until_ns:
            self._said = True
            self._quiet_until_ns = self._clock_ns() + QUIET_NS
            log.warning(
                "jsonl.path: cannot write %s: %s; trying again until it works",
                *(self._path, error.strerror),
            )

    def _succeed(self) -> None:
        if not self._failed:
            return
        self._failed = False
        self._backoff.reset()
        if self._said:
            self._said = False
            log.info(
                "jsonl.path: %s is written again; lines lost so far: %d", self._path, self._lost
            )
