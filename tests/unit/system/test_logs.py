"""Logging to files, terminals and a journal, each a real descriptor."""

import io
import logging
import os
import pty
import time

import pytest

from fer_edge.quiet import QUIET_ENVIRONMENT
from fer_edge.stdio import is_journal
from fer_edge.system.logs import configure

LOGGER = logging.getLogger("fer_edge.system.test")


@pytest.fixture(autouse=True)
def loggers_as_before():
    logger = logging.getLogger("fer_edge")
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.fixture
def journal(tmp_path):
    """A stream that $JOURNAL_STREAM says is the journal: (stream, environ)."""
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        yield stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


def content(stream):
    stream.seek(0)
    return stream.read()


def test_a_line_in_the_journal_begins_with_its_priority(journal):
    stream, environ = journal
    configure("info", stream=stream, environ=environ)
    LOGGER.debug("not this")
    LOGGER.info("started")
    LOGGER.warning("camera lost")
    LOGGER.error("broken")
    LOGGER.critical("ends")
    assert content(stream) == "<6>started\n<4>camera lost\n<3>broken\n<2>ends\n"


def test_every_line_of_a_traceback_has_the_priority(journal):
    stream, environ = journal
    configure("info", stream=stream, environ=environ)
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        LOGGER.exception("thread ended")
    lines = content(stream).splitlines()
    assert lines[0] == "<3>thread ended"
    assert lines[-1] == "<3>ZeroDivisionError: division by zero"
    assert all(line.startswith("<3>") for line in lines)


def test_another_journal_stream_is_not_ours(journal):
    stream, environ = journal
    assert is_journal(stream, environ)
    assert not is_journal(stream, {"JOURNAL_STREAM": "1:2"})
    assert not is_journal(stream, {})
    assert not is_journal(io.StringIO(), environ)


def test_a_file_gets_time_level_and_logger():
    stream = io.StringIO()
    configure("warning", stream=stream, environ={})
    LOGGER.info("not this")
    LOGGER.warning("camera lost")
    stamp, level, name, *message = content(stream).split()
    assert time.strptime(stamp, "%Y-%m-%dT%H:%M:%S%z")
    assert (level, name, message) == ("WARNING", "fer_edge.system.test:", ["camera", "lost"])


def test_a_terminal_gets_short_lines():
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as stream:
        configure("info", stream=stream, environ={})
        LOGGER.info("started")
        line = os.read(leader, 1000).decode()
    os.close(leader)
    assert line.split()[1:] == ["INFO", "started"]
    assert time.strptime(line.split()[0], "%H:%M:%S")


def test_debug_overrides_the_level_and_names_thread_and_logger():
    stream = io.StringIO()
    environ = {}
    configure("error", debug=True, stream=stream, environ=environ)
    LOGGER.debug("detail")
    assert content(stream).split()[1:] == [
        "DEBUG",
        "MainThread",
        "fer_edge.system.test:",
        "detail",
    ]
    assert environ == {}, "libraries may talk while debugging"


def test_configuring_again_does_not_double_the_lines():
    first, second = io.StringIO(), io.StringIO()
    configure("info", stream=first, environ={})
    configure("info", stream=second, environ={})
    LOGGER.info("once")
    assert content(first) == ""
    assert content(second).count("once") == 1


def test_other_libraries_and_the_root_logger_are_left_alone():
    stream = io.StringIO()
    before = logging.getLogger().handlers[:]
    configure("debug", stream=stream, environ={})
    logging.getLogger("paho").warning("not ours")
    assert content(stream) == ""
    assert logging.getLogger().handlers == before


def test_libraries_are_silenced_but_while_debugging():
    environ = {}
    configure("info", stream=io.StringIO(), environ=environ)
    assert environ == QUIET_ENVIRONMENT
