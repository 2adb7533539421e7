"""Silence for libraries that write to standard error past Python's logging.

Errors are raised or logged by fer-edge itself. A variable that is set already stays as it is, so that
a fault can be looked for.
"""

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

LOGGER: Final = "fer_edge"
"""Name of the logger above all of this package."""

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


def quiet_environment(
    environ: MutableMapping[str, str] = os.environ, *, names: tuple[str, ...] = ()
) -> None:
    """Set every variable of `QUIET_ENVIRONMENT`, or those in `names`, that is not set yet."""
    for name in names or QUIET_ENVIRONMENT:
        environ.setdefault(name, QUIET_ENVIRONMENT[name])


def quiet_opencv() -> Any:
    """Import `cv2` and keep it from writing to standard error.

    Call before every first use of video: FFmpeg's level is read from the environment once, when
    OpenCV first needs FFmpeg.
    """
    quiet_environment(names=("OPENCV_FFMPEG_LOGLEVEL",))
    import cv2

    if "OPENCV_LOG_LEVEL" not in os.environ:
        if hasattr(cv2, "setLogLevel"):  # until OpenCV 4.11
            cv2.setLogLevel(0)
        else:
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


@contextmanager
def quiet_stderr(noise: re.Pattern[bytes] = NOISE) -> Iterator[None]:
    """Drop the lines that match `noise` from what is written to file descriptor 2 inside.

    For C++ that prints past Python, such as the interpreter while a model is loaded. Everything
    else, other threads' lines too, appears when the block ends; all of it when an exception ends
    it, or at once while `fer_edge` logs at debug level. The descriptor belongs to the whole
    process: use it at start-up, for milliseconds. What a crash inside printed is lost.
    """
    if logging.getLogger(LOGGER).isEnabledFor(logging.DEBUG):
        yield
        return
    try:
        saved = os.dup(2)
    except OSError:  # started without standard error
        yield
        return
    dropped = re.compile(rb"(?!)")  # nothing, unless the block ends well
    capture = os.memfd_create("stderr")
    os.dup2(capture, 2)
    try:
        yield
        dropped = noise
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.lseek(capture, 0, os.SEEK_SET)
        with os.fdopen(capture, "rb") as captured:
            os.write(saved, b"".join(line for line in captured if not dropped.search(line)))
        os.close(saved)
