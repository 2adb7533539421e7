"""JSON lines to a stream: the `faces` payload, one line a frame."""

import io
import time
from collections.abc import Callable
from typing import TextIO

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
        stream: TextIO,
        device: str,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Write to `stream`, which stays open at the end."""
        self._device = device
        self._clock_ns = clock_ns
        self._somebody: bool | None = False
        """As of the last line."""
        self._stream = stream
        if isinstance(self._stream, io.TextIOWrapper):
            # JSON is UTF-8 (RFC 8259), whatever the locale says standard output is.
            self._stream.reconfigure(encoding="utf-8", errors="strict")

    def start(self) -> None:
        """The stream is open already."""

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
            raise write_failure(error, "standard output", self._stream.fileno()) from None

    def idle(self) -> None:
        """Nothing is due by time."""

    def close(self) -> None:
        """Every line was flushed; the stream stays open."""
