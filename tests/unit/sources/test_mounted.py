"""Pictures of a camera that is mounted otherwise come out the right way round."""

from contextlib import nullcontext

import numpy as np
import pytest

from fer_edge.config import FileSource, load
from fer_edge.errors import ConfigError
from fer_edge.sources import open_source
from fer_edge.sources._pictures import GrayPicture
from fer_edge.sources.mounted import MountedPicture, MountedSource, Mounting
from fer_edge.types import Frame


@pytest.fixture
def plane():
    return np.arange(6 * 8, dtype=np.uint8).reshape(6, 8)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_picture_is_turned_clockwise_and_then_round(plane, rotate, mirror) -> None:
    picture = MountedPicture(GrayPicture(plane), Mounting(rotate, mirror))
    wanted = np.rot90(plane, -rotate // 90)
    wanted = wanted[:, ::-1] if mirror else wanted
    made = picture.gray()
    np.testing.assert_array_equal(made, wanted)
    assert (picture.height, picture.width) == made.shape
    assert made.flags.c_contiguous
    assert not made.flags.writeable
    assert picture.gray() is made, "turned once"
    assert picture.bgr().shape == (*made.shape, 3)


def test_a_smaller_plane_is_as_wide_as_was_asked_for() -> None:
    class Asked:
        width, height = 1920, 1080

        def gray(self, min_width=0):
            self.asked = min_width
            return np.zeros((540, 960), np.uint8)

    picture = Asked()
    turned = MountedPicture(picture, Mounting(90, mirror=False))
    assert turned.gray(320).shape == (960, 540)
    assert picture.asked == 569, "of the height, 320"


def test_frames_have_the_size_of_what_is_seen(stamp_at) -> None:
    class Stream:
        def __init__(self):
            self.left = [Frame(stamp_at(0), GrayPicture(np.zeros((1080, 1920), np.uint8)))]

        def read(self):
            return self.left.pop() if self.left else None

    class Camera:
        name, live = "camera", True

        def open(self):
            return nullcontext(Stream())

    source = MountedSource(Camera(), Mounting(270, mirror=True))
    assert (source.name, source.live) == ("camera", True)
    with source.open() as stream:
        frame = stream.read()
        assert (frame.stamp.width, frame.stamp.height) == (1080, 1920)
        assert stream.read() is None


def test_the_source_is_wrapped_only_where_it_is_turned(tmp_path) -> None:
    plain = FileSource(type="file", path=tmp_path / "a.mp4")
    assert not isinstance(open_source(plain), MountedSource)
    assert isinstance(open_source(plain.model_copy(update={"rotate": 180})), MountedSource)


def test_a_screen_that_shows_the_cameras_own_picture_is_refused() -> None:
    wrong = {"source": {"type": "auto", "rotate": 180}, "overlay": {"screen": "drm"}}
    with pytest.raises(ConfigError, match="choose framebuffer or window") as error:
        load(None, environ={}, overrides=wrong)
    assert "\n" not in str(error.value)
    wrong["overlay"]["screen"] = "window"
    assert load(None, environ={}, overrides=wrong).source.rotate == 180
