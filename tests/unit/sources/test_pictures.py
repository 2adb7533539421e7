import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from fer_edge.errors import FrameError
from fer_edge.sources._pictures import (
    BgrPicture,
    GrayPicture,
    JpegPicture,
    Yuv420Picture,
    YuyvPicture,
)


def planar(bgr):
    """A colour picture as YUV 4:2:0 in full range."""
    height, width = bgr.shape[:2]
    luma, red, blue = cv2.split(cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb))
    chroma = [cv2.resize(plane, (width // 2, height // 2)).ravel() for plane in (blue, red)]
    return np.concatenate([luma.ravel(), *chroma]).reshape(-1, width)


@pytest.fixture(params=["gray", "bgr", "jpeg", "yuv420", "yuyv"])
def picture(request, bgr, jpeg):
    match request.param:
        case "gray":
            return GrayPicture(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))
        case "bgr":
            return BgrPicture(bgr.copy())
        case "jpeg":
            return JpegPicture(jpeg)
        case "yuv420":
            return Yuv420Picture(planar(bgr), (640, 360))
        case "yuyv":
            return YuyvPicture(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_YUYV).ravel(), (640, 360))


def test_every_picture_gives_its_size_luma_and_colour(picture, bgr, difference):
    assert (picture.width, picture.height) == (640, 360)
    assert picture.gray().shape == (360, 640)
    # YUYV is in video range, 16 to 235: flatter than a picture's luma.
    assert difference(picture.gray(), cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)) < 12
    assert picture.bgr().shape == (360, 640, 3)
    assert difference(cv2.cvtColor(picture.bgr(), cv2.COLOR_BGR2GRAY), picture.gray()) < 12


def test_colour_comes_back_from_planes(bgr, difference):
    assert difference(Yuv420Picture(planar(bgr), (640, 360)).bgr(), bgr) < 1.5


def test_every_picture_is_read_only(picture):
    with pytest.raises(ValueError, match="read-only"):
        picture.gray()[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        picture.bgr()[0, 0, 0] = 1


def test_luma_is_made_once(picture):
    assert picture.gray() is picture.gray()


def test_two_threads_may_ask_one_picture(jpeg):
    for _ in range(20):
        picture = JpegPicture(jpeg)
        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(picture.gray, (0, 0))
        assert one is other


@pytest.mark.parametrize(
    ("min_width", "shape"),
    [
        (0, (360, 640)),
        (1, (45, 80)),
        (80, (45, 80)),
        (81, (90, 160)),
        (160, (90, 160)),
        (320, (180, 320)),
        (321, (360, 640)),
        (9999, (360, 640)),
    ],
)
def test_a_jpeg_is_decoded_no_larger_than_needed(jpeg, min_width, shape):
    assert JpegPicture(jpeg).gray(min_width).shape == shape


def test_a_jpeg_with_odd_sides_is_never_narrower_than_asked(bgr):
    odd = JpegPicture(cv2.imencode(".jpg", bgr[:357, :637])[1].tobytes())
    assert odd.gray(319).shape == (179, 319)
    assert odd.gray(320).shape == (357, 637)


def test_a_plane_that_is_decoded_already_is_used_again(jpeg):
    picture = JpegPicture(jpeg)
    half = picture.gray(320)
    assert picture.gray(100) is half


def test_a_reduced_plane_shows_the_same_picture(jpeg, difference):
    picture = JpegPicture(jpeg)
    shrunk = cv2.resize(picture.gray(), (160, 90), interpolation=cv2.INTER_AREA)
    assert difference(JpegPicture(jpeg).gray(160), shrunk) < 2


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("restart", [0, 5])
def test_the_size_of_other_jpegs(bgr, progressive, restart):
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    data = cv2.imencode(".jpg", bgr[:200], options)[1].tobytes()
    assert (JpegPicture(data).width, JpegPicture(data).height) == (640, 200)


def test_the_size_behind_application_data_and_fill_bytes(jpeg):
    thumbnail = b"\xff\xe1" + (6).to_bytes(2, "big") + b"\xff\xd8\xff\xd9"
    picture = JpegPicture(jpeg[:2] + thumbnail + b"\xff" + jpeg[2:])
    assert (picture.width, picture.height) == (640, 360)


def test_padding_after_the_end_is_no_fault(jpeg):
    assert JpegPicture(jpeg + bytes(4096)).gray().shape == (360, 640)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99])
def test_a_truncated_jpeg(jpeg, share):
    with pytest.raises(FrameError):
        JpegPicture(jpeg[: round(share * len(jpeg))])


def test_the_end_of_a_thumbnail_is_not_the_end(jpeg):
    thumbnail = b"\xff\xe1" + (6).to_bytes(2, "big") + b"\xff\xd8\xff\xd9"
    with pytest.raises(FrameError, match="truncated"):
        JpegPicture(jpeg[:2] + thumbnail + jpeg[2:-200])


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"GIF89a" * 30, bytes(99)])
def test_no_jpeg(data):
    with pytest.raises(FrameError):
        JpegPicture(data)


def test_a_jpeg_without_a_size(jpeg):
    header = jpeg.index(b"\xff\xc0")
    without = jpeg[: header + 5] + bytes(4) + jpeg[header + 9 :]
    with pytest.raises(FrameError, match="no size"):
        JpegPicture(without)


def test_a_jpeg_with_broken_tables_fails_when_it_is_looked_at(jpeg):
    tables = jpeg.index(b"\xff\xc4")
    broken = JpegPicture(jpeg[: tables + 5] + b"\xff" * 30 + jpeg[tables + 35 :])
    with pytest.raises(FrameError, match="corrupt"):
        broken.gray(100)
    with pytest.raises(FrameError, match="corrupt"):
        broken.bgr()


def test_an_orientation_tag_does_not_turn_a_frame(jpeg):
    tiff = b"MM\0*\0\0\0\x08" + b"\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" + bytes(4)
    exif = b"Exif\0\0" + tiff
    tagged = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    turned = cv2.imdecode(np.frombuffer(tagged, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert turned.shape == (640, 360), "the tag is one that OpenCV heeds"
    assert JpegPicture(tagged).gray().shape == (360, 640)
    assert JpegPicture(tagged).bgr().shape == (360, 640, 3)


def test_nothing_is_decoded_before_it_is_asked_for(jpeg):
    picture = JpegPicture(jpeg)
    held = sys.getsizeof(jpeg)
    assert all(not isinstance(value, np.ndarray) for value in vars(picture).values())
    assert picture.gray(100).nbytes < held


@pytest.mark.parametrize(
    ("min_width", "width"), [(0, 640), (320, 320), (200, 320), (321, 640), (9999, 640)]
)
def test_the_cameras_small_plane_is_used_where_it_is_wide_enough(bgr, min_width, width):
    lores = planar(cv2.resize(bgr, (320, 180)))
    picture = Yuv420Picture(planar(bgr), (640, 360), lores, (320, 180))
    assert picture.gray(min_width).shape[1] == width


def test_yuyv_of_another_size_is_no_picture():
    with pytest.raises(FrameError, match="640x360"):
        YuyvPicture(np.zeros(100, np.uint8), (640, 360))


def test_usb_cameras_leave_out_the_standard_huffman_tables(jpeg):
    """As `AVI1` Motion JPEG does; a decoder has to bring them along."""
    start, without = 2, jpeg[:2]
    while jpeg[start + 1] != 0xDA:
        end = start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big")
        if jpeg[start + 1] != 0xC4:
            without += jpeg[start:end]
        start = end
    without += jpeg[start:]
    assert len(without) < len(jpeg) - 300
    assert np.array_equal(JpegPicture(without).gray(), JpegPicture(jpeg).gray())
