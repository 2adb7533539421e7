"""A small screen gets a small picture, where that is cheaper to decode."""

import cv2
import numpy as np
import pytest

from fer_edge.sources._pictures import JpegPicture, Yuv420Picture


@pytest.fixture(scope="module")
def smooth():
    """A picture without detail, so that it is the same at every size."""
    rows, columns = np.mgrid[0:1080, 0:1920]
    image = np.dstack([rows * 255 // 1080, columns * 255 // 1920, 255 - rows * 255 // 1080])
    return image.astype(np.uint8)


@pytest.mark.parametrize(
    ("wanted", "width"), [(0, 1920), (1000, 1920), (960, 960), (480, 480), (100, 240)]
)
def test_a_jpeg_is_decoded_no_larger_than_need_be(smooth, wanted, width):
    picture = JpegPicture(cv2.imencode(".jpg", smooth)[1].tobytes())
    colour = picture.bgr(wanted)
    assert colour.shape == (width * 1080 // 1920, width, 3)
    expected = cv2.resize(smooth, colour.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(colour.astype(int) - expected).mean() < 2


@pytest.mark.parametrize(("wanted", "width"), [(0, 1920), (961, 1920), (960, 960), (1, 960)])
def test_planes_of_the_camera_at_half_the_size(smooth, wanted, width):
    luma, red, blue = cv2.split(cv2.cvtColor(smooth, cv2.COLOR_BGR2YCrCb))
    small = [cv2.resize(p, (960, 540), interpolation=cv2.INTER_AREA) for p in (blue, red)]
    chroma = np.concatenate([p.reshape(270, 1920) for p in small])
    picture = Yuv420Picture(np.concatenate([luma, chroma]), (1920, 1080))
    colour = picture.bgr(wanted)
    assert colour.shape == (width * 1080 // 1920, width, 3)
    expected = cv2.resize(smooth, colour.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(colour.astype(int) - expected).mean() < 2
