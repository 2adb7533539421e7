"""`fer-edge aim` in a real pseudo-terminal: what it draws, and that the terminal is as it was after it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from contextlib import contextmanager

import pytest
from daemon import PROGRAM, START_S, call, environment

LEFT = b"\x1b[?25h\x1b[?1049l"


class Terminal:
    """The other end of the program's terminal."""

    def __init__(self, columns, rows, *arguments, **extra):
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [*PROGRAM, "aim", *arguments],
            env=environment(TERM="xterm-256color", **extra),
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
        )
        self.seen = b""

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0.05)[0]:
            self.seen += os.read(self.master, 1 << 16)
        return self.seen

    def screens(self):
        """Every picture that was drawn whole, without colours, as lines."""
        text = re.sub(rb"\x1b\[[0-9;]*m|\x1b\[K", b"", self.read()).decode()
        text = text.replace("\r\r\n", "\r\n")  # the terminal puts one before each \n too
        parts = text.split("\x1b[H")[1:]
        return [part.split("\x1b[J")[0].split("\r\n") for part in parts if "\x1b[J" in part]

    def wait_for(self, condition):
        deadline = time.monotonic() + START_S
        while not (value := condition()):
            self.read()
            assert self.process.poll() is None, self.seen[-2000:]
            assert time.monotonic() < deadline, self.seen[-2000:]
        return value

    def end(self):
        """Exit code, once it has ended."""
        deadline = time.monotonic() + START_S
        while self.process.poll() is None:
            self.read()
            assert time.monotonic() < deadline, "it does not end"
        self.read()
        return self.process.returncode


@contextmanager
def terminal(*arguments, **extra):
    one = Terminal(*arguments, **extra)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()
        os.close(one.master)
        os.close(one.slave)


def has_face(screens):
    return any("1 face:" in line for screen in screens for line in screen)


def widths(screen):
    return {len(line) for line in screen[:-2]}


def test_it_draws_follows_the_terminals_size_and_ends_on_q():
    with terminal(80, 30, "--source", "demo", COLORTERM="truecolor") as tty:
        tty.wait_for(lambda: has_face(tty.screens()))
        screen = tty.screens()[-1]
        assert widths(screen) == {80}
        assert re.match(r"brightness \d+ good · sharpness \d+ sharp · q ends", screen[-2])
        assert b"\x1b[38;2;" in tty.seen
        assert not termios.tcgetattr(tty.slave)[3] & termios.ECHO
        tty.resize(40, 30)
        tty.wait_for(lambda: widths(tty.screens()[-1]) == {40})
        os.write(tty.master, b"q")
        assert tty.end() == 0
        assert tty.seen.endswith(LEFT)
        assert termios.tcgetattr(tty.slave) == tty.before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_the_terminal_is_as_it_was(number):
    with terminal(60, 20, "--source", "demo") as tty:
        tty.wait_for(tty.screens)
        assert b"\x1b[38;5;" in tty.seen, "256 colours, where there are no more"
        tty.process.send_signal(number)
        assert tty.end() == 0
        assert tty.seen.endswith(LEFT)
        assert termios.tcgetattr(tty.slave) == tty.before


def test_a_camera_that_is_not_there_is_said_on_the_screen():
    with terminal(120, 20, "--source", "/dev/video-none") as tty:
        tty.wait_for(lambda: any("no such device" in line for s in tty.screens() for line in s))
        os.write(tty.master, b"q")
        assert tty.end() == 0


def test_a_terminal_that_is_closed_ends_it():
    with terminal(60, 20, "--source", "demo") as tty:
        tty.wait_for(tty.screens)
        os.close(tty.master)
        tty.master = os.open(os.devnull, os.O_RDONLY)
        tty.process.wait(START_S)


def test_without_a_terminal_it_is_one_line():
    done = call("aim", "--source", "demo")
    assert done.returncode == 74
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("fer-edge: aim draws on a terminal")
