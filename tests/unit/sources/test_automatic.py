"""`auto`: whichever camera there is, as soon as there is one."""

import cv2
import numpy as np
import pytest

from fer_edge.errors import SourceLostError
from fer_edge.sources._timing import Numbering
from fer_edge.sources.automatic import AutomaticCamera
from fer_edge.sources.fakes import FakeCapture
from fer_edge.sources.v4l2 import V4l2Camera

JPEG = np.frombuffer(cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes(), np.uint8)


def test_it_waits_for_a_camera_and_takes_the_one_that_is_plugged_in():
    numbering = Numbering()
    plugged = []

    def find():
        if not plugged:
            return None
        granted = {cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG")}
        return V4l2Camera(
            plugged[0],
            open_capture=lambda _: FakeCapture([JPEG], granted=granted),
            _numbering=numbering,
        )

    source = AutomaticCamera(find)
    assert source.live
    for _ in range(2):
        with pytest.raises(SourceLostError, match="no camera found; plug one in"), source.open():
            pass
    plugged.append("/dev/video7")
    with source.open() as stream:
        assert stream.read().stamp.seq == 0
        assert source.name == "/dev/video7"
        with pytest.raises(SourceLostError, match="unplugged"):
            stream.read()
    plugged[:] = ["/dev/video9"]
    with source.open() as stream:
        assert stream.read().stamp.seq == 2, "one number is left for the message of the loss"
    assert source.name == "/dev/video9"
