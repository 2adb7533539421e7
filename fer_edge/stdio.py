"""Standard input, output and error as the shell or a service manager left them: closed, or full."""

import io
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from fer_edge.errors import OutputClosedError, SinkError


def prepare() -> None:
    """Open /dev/null for streams that the program was started without (`>&-`); escape what cannot be encoded.

    Else the next file that is opened, a camera or a broker's connection, gets the free number, and
    what a library prints is written into it; and in a locale without α and … the help would end in
    an error.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # In this order each gets the lowest number that is free, which is its own.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def is_journal(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether `stream` ends in the journal: $JOURNAL_STREAM holds its device and inode (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or not backed by a file
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def output_failure() -> SinkError | None:
    """Why standard output takes no more, having tried an empty line; None if it does.

    What is left to be written is thrown away then: Python would fail on it again at its end.
    """
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as error:
        return write_failure(error, "standard output", sys.stdout.fileno())
    return None


def write_failure(error: OSError, label: str, number: int) -> SinkError:
    """What `error` from writing to the file descriptor `number` means; the rest is thrown away."""
    discard_output(number)
    if isinstance(error, BrokenPipeError):
        return OutputClosedError(f"{label}: the reader has gone")
    return SinkError(f"{label}: cannot write: {error.strerror}; free space or set another path")


def discard_output(number: int) -> None:
    """Let what is still to be written to the file descriptor `number` go.

    The remedy of Python's documentation, "Note on SIGPIPE" in the module `signal`.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, number)
    finally:
        os.close(null)
