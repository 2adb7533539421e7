"""What libraries write to file descriptor 2 past Python's logging, line by line, while the service runs.

libjpeg writes a line for each damaged picture. Such lines are counted; everything else goes to the log,
where the same line passes once a minute at most.
"""

import faulthandler
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from fer_edge.quiet import LOGGER, NOISE

log = logging.getLogger(__name__)

DAMAGED: Final = re.compile(rb"^(Corrupt JPEG data|Premature end of JPEG file|Unsupported marker)")
"""Warnings of libjpeg (jerror.h); it decodes such a picture as far as it can."""

PADDED: Final = re.compile(rb"^Corrupt JPEG data: \d{1,2} extraneous bytes before marker 0xd9")
"""Some cameras put a few bytes between every picture's last line and its end mark: no damage."""

CHUNK: Final = 64 * 2**10


class LibraryOutput:
    """Lines that libraries wrote; `drain` hands them on."""

    def __init__(self, pipe: int) -> None:
        """Read from the file descriptor `pipe`, which does not block."""
        self.damaged: Callable[[], None] = lambda: None
        """Called for each damaged picture."""
        self._pipe = pipe
        self._rest = b""

    def drain(self) -> None:
        """Hand on what has been written since the last call; returns at once."""
        try:
            data = self._rest + os.read(self._pipe, CHUNK)
        except BlockingIOError:
            return
        *lines, self._rest = data.split(b"\n")
        if len(self._rest) > CHUNK:
            self._rest = b""
        for line in lines:
            self._hand_on(line)

    def _hand_on(self, line: bytes) -> None:
        if NOISE.search(line) or PADDED.search(line):
            return
        text = line.decode(errors="backslashreplace").strip()
        if DAMAGED.search(line):
            self.damaged()
            log.warning("damaged picture: %s", text, extra={"repeats": "damaged picture"})
        else:
            # Figures in it, such as a time, do not make it another line.
            log.warning("%s", text, extra={"repeats": re.sub(r"\d+", "0", text)})


@contextmanager
def library_output() -> Iterator[LibraryOutput]:
    """Lead file descriptor 2 into the object that is yielded, and `sys.stderr` and `faulthandler` around it.

    A library never waits for us: what finds no room is dropped. At debug level, and without a standard
    error, nothing is changed, and `drain` finds nothing.
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    output = LibraryOutput(reader)
    try:
        with _redirected(writer):
            yield output
        output.drain()
    finally:
        os.close(writer)
        os.close(reader)


@contextmanager
def _redirected(writer: int) -> Iterator[None]:
    """File descriptor 2 leads into `writer`, Python's own standard error does not."""
    if logging.getLogger(LOGGER).isEnabledFor(logging.DEBUG):
        yield
        return
    try:
        copy = os.dup(2)
    except OSError:  # started without standard error
        yield
        return
    before = sys.stderr
    before.flush()
    with open(copy, "w", buffering=1, encoding="utf-8", errors="backslashreplace") as python:  # noqa: PTH123
        sys.stderr = python
        if faulthandler.is_enabled():
            faulthandler.enable(python)
        os.dup2(writer, 2)
        try:
            yield
        finally:
            os.dup2(copy, 2)
            sys.stderr = before
            if faulthandler.is_enabled():
                faulthandler.enable(before)
