"""The command line: thin, and quick to start."""

from typing import NoReturn

from fer_edge.cli._commands import app
from fer_edge.cli._exit import run_to_exit

__all__ = ["app", "main"]


def main() -> NoReturn:
    """Entry point of `fer-edge`."""
    run_to_exit(app)
