"""JSON lines: the `faces` payload, one line a frame."""

import errno
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from fer_edge.errors import SinkError
from fer_edge.sinks.payload import encode, faces_message, somebody_in_view
from fer_edge.stdio import write_failure
from fer_edge.types import Result


class JsonlSink:
    """Writes every processed frame with faces, and one without when the last face has left.

    When pictures cease, one line says with `null` that nobody knows who is in view.
    """

    name = "jsonl"
    connected = None

    def __init__(
        self,
        target: Path | TextIO,
        device: str,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Append to the file `target`, or write to a stream, which stays open at the end.

        Raises:
            SinkError: the file cannot be opened.
        """
        self._device = device
        self._clock_ns = clock_ns
        self._somebody: bool | None = False
        """As of the last line."""
        self._owns_stream = isinstance(target, Path)
        self._label = str(target) if isinstance(target, Path) else "standard output"
        try:
            # Line by line, so that a reader or a power cut finds whole lines.
            self._stream = _append_to(target) if isinstance(target, Path) else target
        except OSError as error:
            raise SinkError(
                f"jsonl.path: cannot write {target}: {error.strerror}; check folder and owner"
            ) from None
        if isinstance(self._stream, io.TextIOWrapper):
            # JSON is UTF-8 (RFC 8259), whatever the locale says standard output is.
            self._stream.reconfigure(encoding="utf-8", errors="strict")

    def start(self) -> None:
        """The file is open already."""

    def put(self, result: Result) -> None:
        """Write a line if there are faces, or it is news that there are none.

        Raises:
            OutputClosedError: the reader of the pipe has gone.
            SinkError: the line cannot be written.
        """
        somebody = somebody_in_view(result)
        if not somebody and somebody == self._somebody:
            return
        self._somebody = somebody
        line = encode(faces_message(result, self._device, now_ns=self._clock_ns()))
        try:
            self._stream.write(line.decode() + "\n")
            self._stream.flush()
        except OSError as error:
            raise write_failure(error, self._label, self._stream.fileno()) from None

    def idle(self) -> None:
        """Nothing is due by time."""

    def close(self) -> None:
        """Close the file; a stream that was given stays open."""
        if self._owns_stream:
            self._stream.close()


def _append_to(path: Path) -> TextIO:
    """Open the file or named pipe. A pipe without a reader raises, instead of blocking for ever.

    Raises:
        OSError: it cannot be opened.
    """
    try:
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:
            error.strerror = "a pipe that nobody reads"
        raise
    os.set_blocking(number, True)
    return os.fdopen(number, "a", 1, "utf-8")
