"""Logging of fer-edge's own loggers to standard error, and silence for its libraries.

In the journal each line begins with its priority, `<4>`, which systemd removes (sd-daemon(3)): that
needs no library, unlike systemd.journal's handler, and the two would show the same in `journalctl`.
The root logger is left alone.
"""

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Final, TextIO

from fer_edge.stdio import is_journal

NAME: Final = "fer_edge"

TERMINAL_FORMAT: Final = "%(asctime)s %(levelname)-7s %(message)s"
FILE_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
DEBUG_FORMAT: Final = "%(asctime)s.%(msecs)03d %(levelname)-7s %(threadName)s %(name)s: %(message)s"
JOURNAL_FORMAT: Final = "%(message)s"
JOURNAL_DEBUG_FORMAT: Final = "%(threadName)s %(name)s: %(message)s"

QUIET_ENVIRONMENT: Final[Mapping[str, str]] = {
    "GLOG_minloglevel": "2",
    "LIBCAMERA_LOG_LEVELS": "*:WARN",  # it reports every camera's every mode at INFO
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # AV_LOG_QUIET; the source says itself what was lost
    "OPENCV_LOG_LEVEL": "FATAL",  # its errors come as exceptions or as a closed stream too
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
"""Read by each library when it is loaded or first used, so set before its import."""

NOISE: Final = re.compile(
    rb"Created TensorFlow Lite XNNPACK delegate"
    rb"|All log messages before absl::InitializeLog"
    rb"|^\s*$"
)
"""Lines that libraries print on every start, at no level that can be set."""


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

    `debug` lowers the level to debug, adds thread and module to each line, and leaves the libraries
    talking. Call before OpenCV, the interpreter or picamera2 is imported. Calling again replaces
    what the last call set.
    """
    handler = logging.StreamHandler(stream) if stream else _StandardError()
    stream = stream or sys.stderr
    handler.setFormatter(_formatter(stream, environ, debug=debug))
    logger = logging.getLogger(NAME)
    for old in [h for h in logger.handlers if isinstance(h, logging.StreamHandler)]:
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else level.upper())
    if not debug:
        for name, value in QUIET_ENVIRONMENT.items():
            environ.setdefault(name, value)


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


@contextmanager
def quiet_stderr(noise: re.Pattern[bytes] = NOISE) -> Iterator[None]:
    """Drop the lines that match `noise` from what is written to file descriptor 2 inside.

    For C++ that prints past Python, such as the interpreter while a model is loaded. Everything
    else, other threads' lines too, appears when the block ends; all of it when an exception ends
    it, or at once while `fer_edge` logs at debug level. The descriptor belongs to the whole
    process: use it at start-up, for milliseconds. What a crash inside printed is lost.
    """
    if logging.getLogger(NAME).isEnabledFor(logging.DEBUG):
        yield
        return
    try:
        saved = os.dup(2)
    except OSError:  # started without standard error
        yield
        return
    keep = re.compile(rb"(?!)")
    capture = os.memfd_create("stderr")
    os.dup2(capture, 2)
    try:
        yield
        keep = noise
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.lseek(capture, 0, os.SEEK_SET)
        with os.fdopen(capture, "rb") as captured:
            os.write(saved, b"".join(line for line in captured if not keep.search(line)))
        os.close(saved)


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
