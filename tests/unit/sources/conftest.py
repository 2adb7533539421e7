"""Real pictures for the sources: frames of the demo, and JPEGs of them."""

import cv2
import numpy as np
import pytest

from fer_edge.sources.demo import Demo


def demo_frame(number, *, size=(640, 360), faces=1):
    with Demo(size=size, faces=faces, fast=True, frames=number + 1).open() as stream:
        for _ in range(number):
            stream.read()
        return stream.read().picture.bgr()


def encode(image, quality=90):
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


@pytest.fixture(scope="session")
def bgr():
    """A colour picture of a face, 640x360."""
    return demo_frame(40)


@pytest.fixture(scope="session")
def jpeg(bgr):
    """The same as JPEG."""
    return encode(bgr)


@pytest.fixture(scope="session")
def bgr_frames():
    """Six frames of the demo, 640x360."""
    with Demo(size=(640, 360), fast=True, frames=6).open() as stream:
        return [stream.read().picture.bgr() for _ in range(6)]


@pytest.fixture(scope="session")
def difference():
    """Mean absolute difference of two pictures, in steps of 255."""

    def measure(one, other):
        return float(np.abs(one.astype(int) - other.astype(int)).mean())

    return measure
