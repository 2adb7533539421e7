"""The real program as a process of its own, and what it says to the outside."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil

PROGRAM = [sys.executable, "-m", "fer_edge"]
START_S = 30
"""A first start compiles every file; afterwards it is a second."""


def environment(**extra):
    """This process' environment without what would configure the program."""
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("FER_EDGE_", "NOTIFY_"))}
    return mine | extra


def call(*arguments, timeout_s=60, text=True, **extra):
    """Run to the end: exit code, standard output, standard error, as text or as bytes."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env=environment(**extra),
        capture_output=True,
        text=text,
        timeout=timeout_s,
        check=False,
    )


class Daemon:
    """A running `fer-edge run`; its lines are collected as they come."""

    def __init__(self, *arguments, **extra):
        self.process = subprocess.Popen(
            [*PROGRAM, "run", *map(str, arguments)],
            env=environment(**extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines, self.errors = [], []
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def messages(self):
        """The JSON lines so far."""
        return [json.loads(line) for line in list(self.lines)]

    def wait_for(self, condition, timeout_s=START_S):
        """The first true value of `condition()`; fails with what the program said."""
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            assert self.process.poll() is None, f"it ended: {self.errors}"
            assert time.monotonic() < deadline, f"waited in vain; it said {self.errors}"
            time.sleep(0.02)
        return value

    def rss_mb(self):
        return psutil.Process(self.process.pid).memory_info().rss / 2**20

    def stop(self, how=signal.SIGTERM, timeout_s=10):
        """Seconds until it ended."""
        started = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(timeout_s)
        for reader in self._readers:
            reader.join(5)
        return time.monotonic() - started


@contextmanager
def running(*arguments, **extra):
    """A daemon that is gone afterwards, whatever happens."""
    daemon = Daemon(*arguments, **extra)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
        daemon.process.wait()
        daemon.process.stdout.close()
        daemon.process.stderr.close()


class NotifySocket:
    """What systemd would hear."""

    def __init__(self, folder: Path):
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.settimeout(0.05)
        self.heard = []

    def listen(self, seconds):
        """Everything said within so many seconds, as (key, value)."""
        begin = len(self.heard)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                data = self._socket.recv(4096).decode()
            except TimeoutError:
                continue
            self.heard += [tuple(line.split("=", 1)) for line in data.splitlines()]
        return self.heard[begin:]

    def close(self):
        self._socket.close()
