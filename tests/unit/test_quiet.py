"""What libraries write past Python's logging, in processes of their own."""

import subprocess
import sys

from fer_edge.quiet import QUIET_ENVIRONMENT, quiet_environment

HEAD = """
import os
from fer_edge.quiet import quiet_stderr
from fer_edge.system.logs import configure
"""


def test_a_variable_that_is_set_is_left_alone():
    environ = {"OPENCV_LOG_LEVEL": "INFO"}
    quiet_environment(environ)
    assert environ == {**QUIET_ENVIRONMENT, "OPENCV_LOG_LEVEL": "INFO"}


def test_only_the_variables_that_were_named():
    environ = {}
    quiet_environment(environ, names=("LIBCAMERA_LOG_LEVELS",))
    assert environ == {"LIBCAMERA_LOG_LEVELS": "*:WARN"}


def printed(code):
    """What a fresh process that runs `code` leaves on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code], capture_output=True, text=True, check=False
    )
    return done.stderr.splitlines()


NOISE = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n"


def test_quiet_stderr_drops_known_noise_and_keeps_everything_else():
    assert printed(
        f"with quiet_stderr():\n"
        f"    os.write(2, b'{NOISE}')\n"
        f"    os.write(2, b'ERROR: out of memory\\n')\n"
        f"os.write(2, b'{NOISE}')\n"
    ) == ["ERROR: out of memory", "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."]


def test_quiet_stderr_shows_all_when_the_block_fails():
    lines = printed(f"with quiet_stderr():\n    os.write(2, b'{NOISE}')\n    raise SystemExit(3)\n")
    assert lines == ["INFO: Created TensorFlow Lite XNNPACK delegate for CPU."]


def test_quiet_stderr_shows_all_while_debugging():
    lines = printed(
        f"configure('info', debug=True)\nwith quiet_stderr():\n    os.write(2, b'{NOISE}')\n"
    )
    assert lines == ["INFO: Created TensorFlow Lite XNNPACK delegate for CPU."]


def test_quiet_stderr_without_a_standard_error():
    assert printed("os.close(2)\nwith quiet_stderr():\n    pass\n") == []


def test_opencv_says_nothing_about_a_camera_that_is_not_there():
    talks = "import cv2\ncv2.VideoCapture('/dev/video63')\ncv2.CascadeClassifier('/nope')\n"
    assert printed(talks), "else this test shows nothing"
    assert printed("configure('info')\n" + talks) == []
