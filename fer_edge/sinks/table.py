"""A live table of the faces, on a terminal."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from fer_edge.stats import NS_PER_S, LatencyMeter, RateMeter
from fer_edge.stdio import write_failure
from fer_edge.types import UNCERTAIN, Box, Face, Result

REFRESH_HZ = 10.0

PLAIN_HZ = 1.0
"""In a file or a pipe, where each table stands below the one before."""

BAR_WIDTH = 6
"""Characters of a full confidence bar."""


class StrictConsole(Console):
    """Lets a pipe whose reader has gone raise, where rich would end the thread."""

    def on_broken_pipe(self) -> None:
        """Raise what was raised."""
        raise  # noqa: PLE0704 - rich calls this while it handles the error


class TableSink:
    """One row a face; drawn at most ten times a second, and erased at the end.

    In a file or a pipe nothing can be erased: there it is written once a second.
    """

    name = "table"
    connected = None

    def __init__(
        self,
        console: Console | None = None,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Draw on `console`, standard output's when not given."""
        self._clock_ns = clock_ns
        self._rate = RateMeter(clock_ns=clock_ns)
        # One to two seconds of frames, so that the figure follows changes.
        self._latency = LatencyMeter(50)
        self._result: Result | None = None
        self._drawn_ns: int | None = None
        self._console = console or StrictConsole()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._every_ns = NS_PER_S / (REFRESH_HZ if self._console.is_terminal else PLAIN_HZ)

    def start(self) -> None:
        """Begin to draw.

        Raises:
            OutputClosedError: the reader of the pipe has gone.
            SinkError: the terminal has gone, or the device is full.
        """
        if self._console.is_terminal:
            self._attempt(self._live.start)

    def put(self, result: Result) -> None:
        """Show `result`, if the table was not drawn a moment ago.

        Raises:
            OutputClosedError: the reader of the pipe has gone.
            SinkError: the terminal has gone, or the device is full.
        """
        self._rate.add()
        self._latency.add(self._clock_ns() - result.stamp.captured_ns)
        self._result = result
        self._draw()

    def idle(self) -> None:
        """Draw again: rates fall while no results come.

        Raises:
            OutputClosedError: the reader of the pipe has gone.
            SinkError: the terminal has gone, or the device is full.
        """
        self._draw()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._console.is_terminal:
            self._attempt(self._live.stop)

    def _draw(self) -> None:
        now_ns = self._clock_ns()
        if self._drawn_ns is not None and now_ns - self._drawn_ns < self._every_ns:
            return
        self._drawn_ns = now_ns
        latency_ms = self._latency.summary_ms() or {"p50": 0.0, "p95": 0.0}
        title = (
            f"{self._rate.rate_hz():.1f} frames/s · "
            f"latency {latency_ms['p50']:.0f} ms, p95 {latency_ms['p95']:.0f} ms"
        )
        if self._result is not None and self._result.lost:
            title = f"no pictures · {title}"
        table = faces_table(self._result, title)
        if self._console.is_terminal:
            self._attempt(lambda: self._live.update(table, refresh=True))
        else:
            self._attempt(lambda: self._console.print(table))

    def _attempt(self, draw: Callable[[], None]) -> None:
        try:
            draw()
        except OSError as error:
            raise write_failure(error, "standard output", self._console.file.fileno()) from None


def faces_table(result: Result | None, title: str) -> Table:
    """One row for each face of `result`."""
    # Without lines between the columns all seven fit into a terminal of 80.
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("face", justify="right")
    table.add_column("emotion", min_width=9)
    table.add_column("confidence", min_width=BAR_WIDTH + 5)
    table.add_column("valence", justify="right")
    table.add_column("arousal", justify="right")
    table.add_column("box", justify="right", no_wrap=True)
    table.add_column("seen for", justify="right")
    if result is not None:
        for face in result.faces:
            table.add_row(*_row(face, result.stamp.captured_at))
    return table


def _row(face: Face, now: datetime) -> tuple[str | Table, ...]:
    seen_s = (now.astimezone(UTC) - face.track.since.astimezone(UTC)).total_seconds()
    return (
        str(face.track.id),
        UNCERTAIN if face.emotion is None else face.emotion.value,
        _bar(face.confidence),
        f"{face.affect.valence:+.2f}",
        f"{face.affect.arousal:+.2f}",
        _box(face.track.box),
        f"{seen_s:.1f} s",
    )


def _bar(confidence: float) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(ProgressBar(total=1.0, completed=confidence, width=BAR_WIDTH), f"{confidence:4.0%}")
    return row


def _box(box: Box) -> str:
    return f"{box.width:.0f}x{box.height:.0f} {box.x:+.0f}{box.y:+.0f}"
