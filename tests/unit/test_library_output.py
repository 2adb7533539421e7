"""What libraries write to file descriptor 2 is counted, logged once, or dropped."""

import faulthandler
import logging
import os
import sys

import cv2
import numpy as np
import pytest

from fer_edge.library_output import library_output


@pytest.fixture(autouse=True)
def _level():
    logging.getLogger("fer_edge").setLevel(logging.INFO)


def damaged_jpeg():
    noise = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    whole = cv2.imencode(".jpg", noise)[1].tobytes()
    return whole[:6000] + whole[-2:], whole


def decode(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_damaged_pictures_are_counted_and_standard_error_stays_clean(capfd, caplog):
    damaged, whole = damaged_jpeg()
    count = []
    with library_output() as libraries:
        libraries.damaged = lambda: count.append(1)
        for _ in range(20):
            assert decode(damaged) is not None
        decode(whole)
        decode(whole[:-2] + b"\0\0" + whole[-2:])
        libraries.drain()
        sys.stderr.write("our own\n")
    assert len(count) == 20
    assert capfd.readouterr().err == "our own\n"
    assert {record.repeats for record in caplog.records} == {"damaged picture"}


def test_other_lines_are_logged_and_a_figure_makes_no_other_line(capfd, caplog):
    with library_output() as libraries:
        os.write(2, b"[0:01:02] timeout\n[0:01:03] time")
        libraries.drain()
        os.write(2, b"out\n\n")
    assert caplog.messages == ["[0:01:02] timeout", "[0:01:03] timeout"]
    assert len({record.repeats for record in caplog.records}) == 1
    os.write(2, b"as before\n")
    assert capfd.readouterr().err == "as before\n"


def test_a_library_that_writes_without_end_waits_for_nobody(capfd):
    with library_output() as libraries:
        for _ in range(10_000):
            try:
                os.write(2, b"x" * 1000)
            except BlockingIOError:
                break
        else:
            pytest.fail("it would have blocked")
        libraries.drain()
    assert capfd.readouterr().err == ""


def test_a_crash_is_still_reported(capfd):
    faulthandler.enable(sys.stderr)
    try:
        with library_output():
            faulthandler.dump_traceback(sys.stderr)
    finally:
        faulthandler.disable()
    assert "test_a_crash_is_still_reported" in capfd.readouterr().err


def test_at_debug_level_libraries_keep_talking(capfd):
    logging.getLogger("fer_edge").setLevel(logging.DEBUG)
    with library_output() as libraries:
        os.write(2, b"details\n")
        libraries.drain()
    assert capfd.readouterr().err == "details\n"
