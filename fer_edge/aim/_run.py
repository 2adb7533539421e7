"""From the camera to the terminal, twice a second, until q or Ctrl-C; nothing is stored or sent."""

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, TextIO

from rich.console import Console

from fer_edge.aim._blocks import RESET, Depth
from fer_edge.aim._view import plain, view
from fer_edge.assembly import assemble_stages
from fer_edge.backoff import Backoff
from fer_edge.config import Config, ZoneConfig
from fer_edge.errors import FrameError, SinkError
from fer_edge.pipeline import Pipeline
from fer_edge.signals import Signals
from fer_edge.sources import open_source
from fer_edge.stats import Statistics
from fer_edge.types import Face, Frame, Result

INTERVAL_S: Final = 0.5
POLL_S: Final = 0.05
SHUTDOWN_S: Final = 1.5

ENTER: Final = "\x1b[?1049h\x1b[?25l"
LEAVE: Final = f"{RESET}\x1b[?25h\x1b[?1049l"
HOME: Final = "\x1b[H"
CLEAR_LINE: Final = "\x1b[K"
CLEAR_BELOW: Final = "\x1b[J"


def aim(config: Config) -> list[str]:
    """Show what the camera sees until q or Ctrl-C, or the end of a recording.

    Returns:
        The names of threads that hang and were left behind; the caller must not wait for them.

    Raises:
        SinkError: standard output is no terminal.
        FerEdgeError: as of `fer-edge run`.
    """
    if not sys.stdout.isatty():
        raise SinkError("aim draws on a terminal: run it without | and >, over SSH with -t")
    source = open_source(config.source)
    stages = assemble_stages(config, every_frame=False)
    screen = AimScreen(sys.stdout, stages.statistics, config.zones)
    pipeline = Pipeline(
        source,
        stages.vision,
        stages.affect,
        [screen],
        backoff=Backoff(config.retry.initial_s, config.retry.max_s),
        statistics=stages.statistics,
        watchers=[screen.watch],
    )
    with Signals() as signals, _keys() as keys, _own_screen(sys.stdout):
        pipeline.start()
        try:
            while not (signals.taken or _quits(keys) or pipeline.wait(POLL_S)):
                pass
        finally:
            hanging = pipeline.stop(SHUTDOWN_S)
    return hanging


class AimScreen:
    """A sink that draws the newest frame with the newest faces."""

    name = "aim"
    connected = None

    def __init__(
        self, out: TextIO, statistics: Statistics, zones: Sequence[ZoneConfig] = ()
    ) -> None:
        self._out = out
        self._statistics = statistics
        self._zones = zones
        self._depth = terminal_depth(out)
        self._frame: Frame | None = None
        self._faces: tuple[Face, ...] = ()
        self._due_s = 0.0

    def start(self) -> None:
        """Nothing to begin."""

    def watch(self, frame: Frame) -> None:
        """Keep the frame; called by the thread that captures."""
        self._frame = frame

    def put(self, result: Result) -> None:
        """Keep the faces, and draw if it is time.

        Raises:
            SinkError: the terminal has gone.
        """
        self._faces = result.faces
        self.idle()

    def idle(self) -> None:
        """Draw if it is time.

        Raises:
            SinkError: the terminal has gone.
        """
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + INTERVAL_S
        try:
            lines = self._lines()
            # Over what was there: clearing first would flicker.
            shown = "\r\n".join(line + CLEAR_LINE for line in lines)
            self._out.write(HOME + shown + CLEAR_BELOW)
            self._out.flush()
        except OSError as error:
            raise SinkError(f"standard output: cannot draw: {error.strerror}") from None

    def close(self) -> None:
        """Nothing to end: the terminal is restored by who took it."""

    def _lines(self) -> list[str]:
        columns, rows = os.get_terminal_size(self._out.fileno())
        lost = self._statistics.camera.condition.reason
        if self._frame is None:
            return [plain(lost or "waiting for the camera …", columns)]
        try:
            return view(
                self._frame,
                () if lost else self._faces,
                columns=columns,
                rows=rows,
                depth=self._depth,
                note=lost or "",
                zones=self._zones,
            )
        except FrameError as error:
            return [plain(str(error), columns)]


def terminal_depth(out: TextIO) -> Depth:
    """How many colours the terminal has, from $COLORTERM and $TERM, as rich reads them."""
    match Console(file=out).color_system:
        case "truecolor":
            return "truecolor"
        case "256":
            return "256"
        case _:
            return "none"


@contextmanager
def _own_screen(out: TextIO) -> Iterator[None]:
    """The terminal's second screen, without a cursor; the first one comes back unharmed."""
    out.write(ENTER)
    out.flush()
    try:
        yield
    finally:
        with suppress(OSError):  # the terminal may have gone
            out.write(LEAVE)
            out.flush()


@contextmanager
def _keys() -> Iterator[int | None]:
    """Standard input, key by key and without echo; None where it is no terminal."""
    if not sys.stdin.isatty():
        yield None
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    try:
        yield number
    finally:
        with suppress(termios.error):  # the terminal may have gone
            termios.tcsetattr(number, termios.TCSADRAIN, before)


def _quits(keys: int | None) -> bool:
    """Whether q was pressed, or the terminal has gone."""
    if keys is None or not select.select([keys], [], [], 0)[0]:
        return False
    try:
        pressed = os.read(keys, 64)
    except OSError:
        return True
    return not pressed or b"q" in pressed.lower()
