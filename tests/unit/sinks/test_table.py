import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from fer_edge.errors import OutputClosedError, SinkError
from fer_edge.sinks.table import StrictConsole, TableSink


class Terminal(io.StringIO):
    """Records what is drawn on it."""

    def isatty(self):
        return True


def open_table(clock, width=120):
    screen = Terminal()
    console = Console(file=screen, force_terminal=True, width=width, height=40, color_system=None)
    table = TableSink(console, clock_ns=clock)
    table.start()
    return screen, table


def test_a_row_a_face(clock, result, face):
    screen, table = open_table(clock)
    one = result(face(3, valence=-0.5), face(12, emotion=None))
    clock.tick(0.037)
    table.put(one)
    drawn = screen.getvalue()
    table.close()
    first, second = [line for line in drawn.splitlines() if "200x220" in line]
    assert first.split()[0] == "3"
    assert "happy" in first
    assert "65%" in first
    assert "-0.50" in first
    assert "+100+51" in first
    assert "12" in second
    assert "uncertain" in second
    assert "latency 37 ms" in drawn


def test_nothing_is_cut_off_in_80_columns(clock, result, face):
    screen, table = open_table(clock, width=80)
    table.put(result(face(123, valence=-0.5, emotion=None)))
    drawn = screen.getvalue()
    table.close()
    (row,) = [line for line in drawn.splitlines() if "200x220" in line]
    assert row.split()[-1] == "s"
    assert "seen for" in drawn


def test_is_drawn_ten_times_a_second_at_most(clock, result, face):
    screen, table = open_table(clock)
    drawings = set()
    for _ in range(300):
        clock.tick(1 / 300)
        table.put(result(face()))
        drawings.add(len(screen.getvalue()))
    table.close()
    assert 9 <= len(drawings) <= 11


def test_the_rate_falls_while_nothing_comes(clock, result):
    screen, table = open_table(clock)
    for _ in range(60):
        clock.tick(0.1)
        table.put(result())
    assert "10.0 frames/s" in screen.getvalue()
    clock.tick(10)
    table.idle()
    table.close()
    assert screen.getvalue().rfind("0.0 frames/s") > screen.getvalue().rfind("10.0 frames/s")


def test_leaves_the_terminal_as_it_was(clock, result, face):
    screen, table = open_table(clock)
    table.put(result(face()))
    rows_drawn = screen.getvalue().count("\n")
    table.close()
    text = screen.getvalue()
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    assert text.count(hidden) == text.count(shown) == 1
    assert text.rfind(shown) > text.rfind(hidden)
    # Every line that was drawn is gone over upwards and erased.
    assert rows_drawn > 3
    after = text[text.rfind("happy") :]
    assert after.count("\x1b[1A\x1b[2K") >= rows_drawn


def test_a_file_gets_a_table_a_second(clock, result, face):
    stream = io.StringIO()
    table = TableSink(StrictConsole(file=stream, width=80), clock_ns=clock)
    table.start()
    for _ in range(31):
        table.put(result(face()))
        clock.tick(0.1)
    table.close()
    text = stream.getvalue()
    assert text.count("happy") == 4
    assert "\x1b" not in text


def test_a_full_device_is_one_line(clock, result, face):
    with Path("/dev/full").open("w") as full:
        table = TableSink(StrictConsole(file=full), clock_ns=clock)
        table.start()
        with pytest.raises(SinkError, match="standard output: cannot write: No space left") as it:
            table.put(result(face()))
        table.close()
    assert it.value.exit_code == 74


def test_a_reader_that_has_gone_is_the_end(clock, result, face):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        table = TableSink(StrictConsole(file=stream), clock_ns=clock)
        with pytest.raises(OutputClosedError):
            table.put(result(face()))
        table.close()
