"""Progress bars on a real terminal."""

import contextlib
import os
import pty
import sys

import pytest

from fer_edge.progress import progress_bars

ERASE_LINE = "\x1b[2K"


def shown_on_a_terminal(monkeypatch, **options):
    """Everything that a terminal gets while two of two steps are done."""
    leader, follower = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(follower, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_bars(**options) as add_bar:
            advance = add_bar("clip [red].mp4", 2)
            advance()
            advance()
    chunks = []
    with os.fdopen(leader, "rb", buffering=0) as terminal, contextlib.suppress(OSError):
        while chunk := terminal.read(4096):  # OSError: the other end is closed, all was read
            chunks.append(chunk)
    return b"".join(chunks).decode()


@pytest.mark.parametrize("transient", [True, False])
def test_whoever_asks_for_bars_says_whether_they_stay(monkeypatch, transient):
    text = shown_on_a_terminal(monkeypatch, transient=transient)
    *_, last = text.split("clip [red].mp4")
    assert "2/2" in last
    assert (ERASE_LINE in last) is transient


def test_nothing_where_there_is_no_terminal(capsys):
    with progress_bars() as add_bar:
        add_bar("clip.mp4", None)()
    assert capsys.readouterr().err == ""
