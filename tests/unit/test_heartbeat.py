"""What systemd is told, and may misunderstand."""

import logging

import pytest

from fer_edge.config import Config
from fer_edge.heartbeat import warn_of_long_waits

WATCHDOG_S = 30.0


@pytest.mark.parametrize(
    "source",
    [
        {"type": "auto"},
        {"type": "stream", "url": "http://h/"},
        {"type": "images", "path": "/p"},
        {"type": "demo"},
    ],
)
def test_the_defaults_suit_the_unit(caplog, source):
    warn_of_long_waits(Config.model_validate({"source": source}), WATCHDOG_S)
    assert not caplog.messages


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"retry": {"max_s": 60}}, "retry.max_s allows 60 s"),
        ({"tracking": {"idle_rate_hz": 0.05}}, "tracking.idle_rate_hz allows 20 s"),
        (
            {"source": {"type": "stream", "url": "http://h/", "open_timeout_s": 16}},
            "source.open_timeout_s allows 16 s",
        ),
        ({"source": {"type": "v4l2", "stall_timeout_s": 99}}, "source.stall_timeout_s allows 99 s"),
        ({"source": {"type": "images", "path": "/p", "fps": 0.05}}, "source.fps allows 20 s"),
    ],
)
def test_a_wait_that_systemd_would_take_for_a_hang_is_named(caplog, tree, expected):
    caplog.set_level(logging.WARNING)
    config = Config.model_validate(tree)
    warn_of_long_waits(config, None)
    assert not caplog.messages
    warn_of_long_waits(config, WATCHDOG_S)
    (line,) = caplog.messages
    assert line.startswith(expected)
