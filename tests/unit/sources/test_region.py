"""The part of a camera's picture that counts is the whole picture for all that comes after."""

from contextlib import nullcontext

import numpy as np
import pytest

from fer_edge.config import FileSource, load, render
from fer_edge.errors import ConfigError
from fer_edge.sources import open_source
from fer_edge.sources._pictures import GrayPicture, JpegPicture
from fer_edge.sources.mounted import MountedSource, Mounting
from fer_edge.sources.region import RegionPicture
from fer_edge.types import Frame


@pytest.fixture
def luma():
    return np.random.default_rng(0).integers(0, 255, (1080, 1920), np.uint8)


def test_the_part_is_cut_out(luma):
    picture = RegionPicture(GrayPicture(luma), (0.25, 0.2, 0.5, 0.4))
    assert (picture.width, picture.height) == (960, 432)
    np.testing.assert_array_equal(picture.gray(), luma[216 : 216 + 432, 480 : 480 + 960])
    assert picture.gray() is picture.gray()
    assert not picture.gray().flags.writeable
    assert picture.bgr().shape == (432, 960, 3)


@pytest.mark.parametrize("region", [(0, 0, 1, 1), (0.5, 0.5, 0.5, 0.5), (0.95, 0.95, 0.05, 0.05)])
@pytest.mark.parametrize("size", [(160, 120), (1920, 1080), (641, 363)])
def test_it_lies_within_the_picture_and_reaches_its_edges(region, size):
    picture = RegionPicture(GrayPicture(np.zeros(size[::-1], np.uint8)), region)
    assert picture.gray().shape == (picture.height, picture.width)
    assert picture.width == pytest.approx(size[0] * region[2], abs=8)
    assert picture.height == pytest.approx(size[1] * region[3], abs=8)
    if region == (0, 0, 1, 1):
        assert (picture.width, picture.height) == size


def test_a_decoder_leaves_out_what_it_can(jpeg, difference):
    whole = JpegPicture(jpeg)
    part = RegionPicture(whole, (0.5, 0, 0.5, 1))
    small = part.gray(80)
    assert small.shape == (90, 80), "a quarter of 320x360"
    assert difference(small, whole.gray(160)[:, 80:]) == 0
    assert part.gray(81).shape == (180, 160)
    assert part.bgr(80).shape == (90, 80, 3)


def test_more_than_there_is_gives_what_there_is(jpeg):
    assert RegionPicture(JpegPicture(jpeg), (0, 0, 0.5, 1)).gray(2000).shape == (360, 320)


def test_it_is_cut_before_it_is_turned(luma, stamp_at):
    class Stream:
        def read(self):
            return Frame(stamp_at(0), GrayPicture(luma))

    class Camera:
        name, live = "camera", True

        def open(self):
            return nullcontext(Stream())

    mounting = Mounting(90, mirror=True, region=(0, 0, 0.5, 1))
    with MountedSource(Camera(), mounting).open() as stream:
        frame = stream.read()
    assert (frame.stamp.width, frame.stamp.height) == (1080, 960)
    expected = np.rot90(luma[:, :960], -1)[:, ::-1]
    np.testing.assert_array_equal(frame.picture.gray(), expected)


def test_the_source_is_wrapped_where_a_part_is_asked_for(tmp_path):
    plain = FileSource(type="file", path=tmp_path / "a.mp4")
    part = FileSource(type="file", path=tmp_path / "a.mp4", region=(0, 0, 0.5, 0.5))
    assert not isinstance(open_source(plain), MountedSource)
    assert isinstance(open_source(part), MountedSource)


@pytest.mark.parametrize("written", [[0.25, 0, 0.5, 1], "[0.25, 0, 0.5, 1]", "0.25,0,.5,1"])
def test_it_is_read_from_a_file_and_from_text(written, tmp_path):
    config = load(None, environ={}, overrides={"source": {"type": "auto", "region": written}})
    assert config.source.region == (0.25, 0, 0.5, 1)
    file = tmp_path / "config.toml"
    file.write_text(render(config))
    assert load(file, environ={}, overrides={}).source == config.source


def test_it_is_read_from_the_environment():
    environ = {"FER_EDGE__SOURCE__TYPE": "v4l2", "FER_EDGE__SOURCE__REGION": "[0.1, 0.1, 0.5, 0.5]"}
    assert load(None, environ=environ, overrides={}).source.region == (0.1, 0.1, 0.5, 0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        [0, 0, 1],
        [0, 0, 1, 1, 1],
        [0.6, 0, 0.5, 1],
        [0, 0.6, 1, 0.5],
        [-0.1, 0, 1, 1],
        [0, 0, 0.01, 1],
        ["a", 0, 1, 1],
        [True, 0, 1, 1],
        "left",
        "",
        7,
        {"x": 1},
        [float("nan"), 0, 1, 1],
    ],
)
def test_a_wrong_one_is_one_line(wrong):
    with pytest.raises(ConfigError) as raised:
        load(None, environ={}, overrides={"source": {"type": "auto", "region": wrong}})
    line = str(raised.value)
    assert line.startswith("command line: source.region")
    assert "[x, y, width, height]" in line
    assert "\n" not in line


def test_a_screen_that_shows_the_cameras_own_picture_is_refused():
    wrong = {"source": {"type": "auto", "region": [0, 0, 1, 0.5]}, "overlay": {"screen": "drm"}}
    with pytest.raises(ConfigError, match="choose framebuffer or window"):
        load(None, environ={}, overrides=wrong)
