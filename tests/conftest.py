"""What all tests use: the datasets' folder, and one line when it is not given."""

import logging
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fer_edge.types import Stamp

DATA = os.environ.get("FER_EDGE_DATA")

HOME_ASSISTANT = Path(
    os.environ.get(
        "FER_EDGE_HOME_ASSISTANT", Path(__file__).parents[1] / ".tests" / "home-assistant"
    )
)
"""Its virtual environment."""


def pytest_collection_modifyitems(config, items):
    """Tests of what is not here are left out: the datasets, Home Assistant."""
    if not DATA:
        _leave_out(config, items, "data", LEFT_OUT)
    if not (HOME_ASSISTANT / "bin" / "hass").exists():
        _leave_out(config, items, "home_assistant", LEFT_OUT_HOME_ASSISTANT)


def _leave_out(config, items, marker, key):
    left_out = [item for item in items if item.get_closest_marker(marker)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker(marker)]
        config.stash[key] = len(left_out)


LEFT_OUT = pytest.StashKey[int]()
LEFT_OUT_HOME_ASSISTANT = pytest.StashKey[int]()


def pytest_terminal_summary(terminalreporter, config):
    count = config.stash.get(LEFT_OUT, 0)
    if count:
        terminalreporter.write_line(
            f"{count} tests left out: they read datasets; set FER_EDGE_DATA to their folder"
        )
    count = config.stash.get(LEFT_OUT_HOME_ASSISTANT, 0)
    if count:
        terminalreporter.write_line(
            f"{count} tests left out: they need Home Assistant; tests/run --home-assistant installs it"
        )


@pytest.fixture(autouse=True)
def _process_state():
    """What a command sets for its whole process, such as how loud libraries are, ends with its test.

    Commands called in-process set the environment and handlers of our logger; without this, what
    later tests see on standard error would hang on the order of the tests.
    """
    environ = dict(os.environ)
    logger = logging.getLogger("fer_edge")
    handlers, level = list(logger.handlers), logger.level
    yield
    for name in os.environ.keys() - environ.keys():
        del os.environ[name]
    os.environ.update(environ)
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the datasets."""
    assert DATA is not None
    folder = Path(DATA)
    assert folder.is_dir(), f"FER_EDGE_DATA={DATA} is no folder"
    return folder


@pytest.fixture
def stamp_at():
    """A stamp so many seconds into a recording."""

    def make(seconds: float, *, seq: int = 0) -> Stamp:
        return Stamp(
            seq=seq,
            captured_ns=round(seconds * 1e9),
            captured_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
            width=1920,
            height=1080,
        )

    return make


@pytest.fixture
def set_back():
    """The same instant after the wall clock was set back by so many seconds."""

    def make(stamp: Stamp, seconds: float) -> Stamp:
        return replace(stamp, captured_at=stamp.captured_at - timedelta(seconds=seconds))

    return make
