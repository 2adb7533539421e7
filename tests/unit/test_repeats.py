"""A line that comes again and again is written once a minute."""

import io
import logging

import pytest

from fer_edge.repeats import RepeatFilter
from fer_edge.system.logs import configure


@pytest.fixture
def said():
    """A logger whose clock is turned by hand, and the lines that it wrote."""
    stream, time = io.StringIO(), [0.0]
    logger = logging.getLogger("fer_edge.repeats.test")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    handler = logging.StreamHandler(stream)
    handler.addFilter(RepeatFilter(60, clock=lambda: time[0]))
    logger.addHandler(handler)

    def lines():
        text = stream.getvalue().splitlines()
        stream.truncate(0)
        stream.seek(0)
        return text

    yield logger, lines, time
    logger.removeHandler(handler)


def test_the_same_line_once_a_minute_with_a_count(said):
    logger, lines, time = said
    for second in range(61):
        time[0] = second
        logger.warning("camera: %s", "no picture")
    assert lines() == [
        "camera: no picture",
        "camera: no picture (59 more like it in the meantime)",
    ]


def test_what_is_no_warning_may_come_three_times(said):
    logger, lines, time = said
    for second in range(61):
        time[0] = second
        logger.info("camera: back")
    assert lines() == ["camera: back"] * 3 + ["camera: back (57 more like it in the meantime)"]


def test_another_reason_is_another_line(said):
    logger, lines, _ = said
    for _ in range(3):
        logger.warning("answers %d", 401)
        logger.warning("answers %d", 404)
    assert lines() == ["answers 401", "answers 404"]


def test_lines_of_one_kind_count_as_the_same(said):
    logger, lines, time = said
    for size in range(10):
        logger.warning("JPEG of %d bytes", size, extra={"repeats": "jpeg"})
    time[0] = 100
    logger.warning("JPEG of %d bytes", 99, extra={"repeats": "jpeg"})
    assert lines() == ["JPEG of 0 bytes", "JPEG of 99 bytes (9 more like it in the meantime)"]


def test_debug_lines_all_pass_and_nothing_piles_up(said):
    logger, lines, time = said
    for _ in range(2):
        logger.debug("step")
    assert len(lines()) == 2
    for number in range(2000):
        time[0] = float(number)
        logger.warning("number %d", number)
    assert len(logger.handlers[0].filters[0]._last) <= 601


def test_the_program_s_own_log_has_it():
    stream = io.StringIO()
    configure("info", stream=stream, environ={})
    for _ in range(100):
        logging.getLogger("fer_edge.anything").warning("again")
    assert stream.getvalue().count("again") == 1
