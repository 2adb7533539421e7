"""A file of JSON lines that never holds half a line, and that is begun anew when it is large or old."""

import errno
import json
import logging
import os
import stat
import time
from collections.abc import Callable
from datetime import datetime
from fcntl import F_GETFL, fcntl
from pathlib import Path

log = logging.getLogger(__name__)

TAIL_BYTES = 1 << 20
"""Longer than any line: so far back half a line is looked for."""

CHECK_S = 1.0
"""How often to see whether the file is still the one at its path."""

OURS = b'{"schema":'
"""How every line of fer-edge begins; half of another program's line is left alone."""


class LinesFile:
    """Appends whole lines; a device or a named pipe is written to as it is.

    `faces.jsonl` becomes `faces.jsonl.1`, that one `faces.jsonl.2`, and so on; `keep` of them stay.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: float,
        max_age_s: float,
        keep: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the file, and cut off half a line that a power cut has left.

        Raises:
            OSError: it cannot be opened.
        """
        self._path = path
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._keep = keep
        self._clock = clock
        self._number = -1
        self._rotate_from_s = 0.0
        self._open()

    def write(self, line: bytes) -> None:
        """Append `line`, which ends with a line feed: all of it, or nothing.

        Raises:
            OSError: it cannot be written.
        """
        if self.regular:
            self._follow()
            self._rotate_if_due(len(line))
        size = os.fstat(self._number).st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(self._number, line[written:])
        except OSError:
            if self.regular and written:
                os.ftruncate(self._number, size)
            raise

    def close(self) -> None:
        """Release the file."""
        if self._number >= 0:
            os.close(self._number)
            self._number = -1

    def _open(self) -> None:
        self._number = _append_to(self._path)
        self.regular = stat.S_ISREG(os.fstat(self._number).st_mode)
        if self.regular:
            try:
                if fcntl(self._number, F_GETFL) & os.O_ACCMODE == os.O_RDWR:
                    _mend_end(self._number)
            except OSError:
                self.close()
                raise
            self._begun_s = _begun(self._path, self._clock())
            self._checked_s = self._clock()

    def _follow(self) -> None:
        """Begin a new file where somebody has moved or removed the old one."""
        now_s = self._clock()
        if 0 <= now_s - self._checked_s < CHECK_S:
            return
        self._checked_s = now_s
        try:
            same = os.path.samestat(self._path.stat(), os.fstat(self._number))
        except FileNotFoundError:
            same = False
        if not same:
            self.close()
            self._open()

    def _rotate_if_due(self, more_bytes: int) -> None:
        now_s = self._clock()
        # After the clock was set back, the file would stay young for as long as that.
        self._begun_s = min(self._begun_s, now_s)
        size = os.fstat(self._number).st_size
        due = size + more_bytes > self._max_bytes or now_s - self._begun_s > self._max_age_s
        if not (due and size) or now_s < self._rotate_from_s:
            return
        try:
            self._rotate()
        except OSError as error:
            # Better a large file than none.
            self._rotate_from_s = now_s + 3600
            log.warning(
                "jsonl.path: cannot rename %s: %s; it grows on; let fer-edge write in its folder",
                *(self._path, error.strerror),
            )
            return
        self.close()
        self._open()

    def _rotate(self) -> None:
        def name(number: int) -> Path:
            return self._path.with_name(f"{self._path.name}.{number}")

        if self._keep == 0:
            self._path.unlink()
            return
        name(self._keep).unlink(missing_ok=True)
        for number in range(self._keep - 1, 0, -1):
            if name(number).exists():
                name(number).rename(name(number + 1))
        self._path.rename(name(1))


def _append_to(path: Path) -> int:
    """Open the file or named pipe. A pipe without a reader raises, instead of blocking for ever."""
    flags = os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    # Reading is for half a line at its end; a pipe that is opened to be read has a reader always.
    reading = path.is_file() and os.access(path, os.R_OK)
    try:
        number = os.open(path, flags | (os.O_RDWR if reading else os.O_WRONLY), 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:
            error.strerror = "a pipe that nobody reads"
        raise
    os.set_blocking(number, True)
    return number


def _mend_end(number: int) -> None:
    """Cut off half a line of ours at the end; complete one of another program's."""
    size = os.fstat(number).st_size
    start = max(0, size - TAIL_BYTES)
    tail = os.pread(number, TAIL_BYTES, start)
    whole = tail.rfind(b"\n") + 1
    half = tail[whole:]
    if not half:
        return
    if half.startswith(OURS) or OURS.startswith(half):
        os.ftruncate(number, start + whole)
    else:
        os.write(number, b"\n")


def _begun(path: Path, now_s: float) -> float:
    """When the first line of the file was written; `now_s` where it does not say."""
    try:
        with path.open("rb") as lines:
            first = json.loads(lines.readline(TAIL_BYTES))
        return datetime.fromisoformat(first["captured_at"]).timestamp()
    except (OSError, ValueError, KeyError, TypeError):
        return now_s
