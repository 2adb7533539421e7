"""Logging of fer-edge's own loggers to standard error.

In the journal each line begins with its priority, `<4>`, which systemd removes (sd-daemon(3)): that
needs no library, unlike systemd.journal's handler, and the two would show the same in `journalctl`.
The root logger is left alone.
"""

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Final, TextIO

from fer_edge.quiet import LOGGER, quiet_environment
from fer_edge.repeats import RepeatFilter
from fer_edge.stdio import is_journal

TERMINAL_FORMAT: Final = "%(asctime)s %(levelname)-7s %(message)s"
FILE_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
DEBUG_FORMAT: Final = "%(asctime)s.%(msecs)03d %(levelname)-7s %(threadName)s %(name)s: %(message)s"
JOURNAL_FORMAT: Final = "%(message)s"
JOURNAL_DEBUG_FORMAT: Final = "%(threadName)s %(name)s: %(message)s"


class _JournalFormatter(logging.Formatter):
    """Each line, those of a traceback too, with its priority: the journal splits at line breaks."""

    def format(self, record: logging.LogRecord) -> str:
        priority = _priority(record.levelno)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


def configure(
    level: str,
    *,
    debug: bool = False,
    stream: TextIO | None = None,
    environ: MutableMapping[str, str] = os.environ,
) -> None:
    """Send what `fer_edge` loggers say from `level` on to `stream`, standard error by default.

    The same line is written once a minute at most. `debug` writes all, lowers the level to debug, adds thread and module to each line, and leaves the libraries
    talking. Call before OpenCV, the interpreter or picamera2 is imported. Calling again replaces
    what the last call set.
    """
    handler = logging.StreamHandler(stream) if stream else _StandardError()
    stream = stream or sys.stderr
    handler.setFormatter(_formatter(stream, environ, debug=debug))
    if not debug:
        handler.addFilter(RepeatFilter())
    logger = logging.getLogger(LOGGER)
    for old in [h for h in logger.handlers if isinstance(h, logging.StreamHandler)]:
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else level.upper())
    if not debug:
        quiet_environment(environ)


class _StandardError(logging.StreamHandler[TextIO]):
    """Whatever standard error is when a line comes: the live table puts itself in its place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """It is not kept."""


def _formatter(stream: TextIO, environ: Mapping[str, str], *, debug: bool) -> logging.Formatter:
    if is_journal(stream, environ):
        return _JournalFormatter(JOURNAL_DEBUG_FORMAT if debug else JOURNAL_FORMAT)
    if debug:
        return logging.Formatter(DEBUG_FORMAT, datefmt="%H:%M:%S")
    if stream.isatty():
        return logging.Formatter(TERMINAL_FORMAT, datefmt="%H:%M:%S")
    return logging.Formatter(FILE_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S%z")


def _priority(level: int) -> int:
    """The syslog severity of a logging level."""
    for least, severity in ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4)):
        if level >= least:
            return severity
    return 6 if level >= logging.INFO else 7
