"""How the program ends: errors become one line on standard error and an exit code."""

import contextlib
import os
import sys
from typing import NoReturn

import typer

from fer_edge.errors import FerEdgeError
from fer_edge.stdio import output_failure, prepare
from fer_edge.worker import any_left_behind

EX_SOFTWARE = 70
"""sysexits(3): an error that nobody foresaw."""


def run_to_exit(app: typer.Typer) -> NoReturn:
    """Run the command that the arguments name; errors become one line and an exit code."""
    prepare()
    debug = "--debug" in sys.argv[1:]
    try:
        try:
            app(standalone_mode=True)
        except SystemExit:
            sys.stdout.flush()
            raise
    except FerEdgeError as error:
        if debug:
            raise
        leave(error)
    except Exception as error:
        failure = output_failure() if isinstance(error, OSError) else None
        if debug:
            raise
        if failure is not None:
            leave(failure)
        print_error(f"unexpected {type(error).__name__}: {error}; `fer-edge --debug …` shows where")
        sys.exit(EX_SOFTWARE)
    sys.exit(0)


def leave(error: FerEdgeError) -> NoReturn:
    """End with an error's line and exit code."""
    if error.exit_code:
        print_error(str(error))
    if any_left_behind():
        exit_at_once(error.exit_code)
    sys.exit(error.exit_code)


def exit_at_once(code: int) -> NoReturn:
    """End without the interpreter's own shutdown, which waits for a thread that hangs, or crashes.

    Nothing is flushed: lines and logs were, one by one, and a thread that hangs while it writes
    into a pipe whose reader has paused holds the lock that flushing needs.
    """
    os._exit(code)


def begin_again() -> NoReturn:
    """Run the same command from its beginning, in this process, with whatever threads are left gone.

    The process keeps its number, so that systemd goes on watching it.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves


def print_error(message: str) -> None:
    """One line on standard error, whatever the message holds."""
    typer.echo(f"fer-edge: {' '.join(message.split())}", err=True)
