"""What all tests use: the datasets' folder, and one line when it is not given."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fer_edge.types import Stamp

DATA = os.environ.get("FER_EDGE_DATA")


def pytest_collection_modifyitems(config, items):
    """Tests marked `data` run where FER_EDGE_DATA names the datasets, and nowhere else."""
    if DATA:
        return
    left_out = [item for item in items if item.get_closest_marker("data")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("data")]
        config.stash[LEFT_OUT] = len(left_out)


LEFT_OUT = pytest.StashKey[int]()


def pytest_terminal_summary(terminalreporter, config):
    count = config.stash.get(LEFT_OUT, 0)
    if count:
        terminalreporter.write_line(
            f"{count} tests left out: they read datasets; set FER_EDGE_DATA to their folder"
        )


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
