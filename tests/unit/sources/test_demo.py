import time
from importlib import resources
from itertools import pairwise

import cv2
import numpy as np
import pytest
from skimage import data as skimage_data

from fer_edge.config import DemoSource
from fer_edge.sources import open_source
from fer_edge.sources.demo import Demo, placements


def pictures(demo, every=1):
    with demo.open() as stream:
        for index in range(demo.frames):
            frame = stream.read()
            if index % every == 0:
                yield frame.picture
        assert stream.read() is None


def test_the_face_is_scikit_images_astronaut(difference):
    data = resources.files("fer_edge.sources").joinpath("astronaut.jpg").read_bytes()
    assert len(data) <= 40_000
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    original = cv2.cvtColor(skimage_data.astronaut()[2:250, 100:348], cv2.COLOR_RGB2BGR)
    assert difference(stored, original) < 3


@pytest.mark.parametrize(("faces", "every"), [(0, 60), (1, 17), (2, 79), (4, 79), (8, 79)])
def test_viola_jones_finds_each_face_and_no_other(faces, every):
    """As the detector searches by default: 640 px wide, 1.2, 5 neighbours, 12 % of the height."""
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    complete, exact, seen = 0, 0, 0
    for picture in pictures(Demo(faces=faces, fast=True, frames=1190), every):
        luma = cv2.resize(picture.gray(), (640, 360), interpolation=cv2.INTER_AREA)
        found = len(cascade.detectMultiScale(luma, 1.2, 5, minSize=(43, 43)))
        complete += found >= faces
        exact += found <= faces
        seen += 1
    assert seen >= 16
    assert complete >= 0.97 * seen
    assert exact >= 0.99 * seen


def test_faces_move_and_grow_but_stay_apart_and_inside():
    sides = []
    for number in range(0, 1190, 5):
        places = placements(number, faces=4, fps=30, size=(1920, 1080))
        for index, place in enumerate(places):
            cell_x, cell_y = 960 * (index % 2), 540 * (index // 2)
            assert cell_x - 1e-6 <= place.left <= cell_x + 960 - place.side + 1e-6
            assert cell_y - 1e-6 <= place.top <= cell_y + 540 - place.side + 1e-6
        sides.append(places[0].side)
    assert max(sides) - min(sides) > 80
    alone = [placements(n, faces=1, fps=30, size=(1920, 1080))[0] for n in range(0, 1190, 5)]
    assert max(p.left for p in alone) - min(p.left for p in alone) > 700
    assert max(p.side for p in alone) > 2 * min(p.side for p in alone)


def test_every_run_is_the_same():
    runs = [[p.gray() for p in pictures(Demo(size=(320, 240), fast=True, frames=3))] for _ in "ab"]
    for one, other in zip(*runs, strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(runs[0][0], runs[0][2])


def test_the_movement_does_not_depend_on_the_rate():
    assert placements(30, faces=1, fps=30, size=(640, 360)) == placements(
        10, faces=1, fps=10, size=(640, 360)
    )


def test_grey_is_the_luma_of_the_colours(difference):
    (picture,) = pictures(Demo(fast=True, frames=1))
    assert picture.bgr().shape == (1080, 1920, 3)
    assert difference(cv2.cvtColor(picture.bgr(), cv2.COLOR_BGR2GRAY), picture.gray()) < 1


@pytest.mark.parametrize("size", [(160, 120), (161, 2160), (3840, 120), (3840, 2160)])
@pytest.mark.parametrize("faces", [1, 8])
def test_any_size(size, faces):
    (picture,) = pictures(Demo(size=size, faces=faces, fast=True, frames=1))
    assert picture.gray().shape == size[::-1]
    assert picture.bgr().shape == (*size[::-1], 3)


def test_the_face_fades_into_the_background():
    with Demo(faces=0, fast=True).open() as stream:
        empty = stream.read().picture.gray()
    (picture,) = pictures(Demo(fast=True, frames=1))
    (place,) = placements(0, faces=1, fps=30, size=(1920, 1080))
    middle, last = place.side // 2, place.side - 1
    changed = picture.gray() != empty
    inside = changed[place.top :, place.left :][: place.side, : place.side]
    assert inside.sum() == changed.sum() > 0
    assert not inside[[0, 0, last, last], [0, last, 0, last]].any()
    assert not inside[[0, last, middle, middle], [middle, middle, 0, last]].any()


def test_pictures_are_read_only():
    (picture,) = pictures(Demo(size=(320, 240), fast=True, frames=1))
    with pytest.raises(ValueError, match="read-only"):
        picture.gray()[0, 0] = 0
    with pytest.raises(ValueError, match="read-only"):
        picture.bgr()[0, 0] = 0


def test_fast_frames_carry_the_time_of_the_recording():
    with Demo(size=(320, 240), fast=True, fps=20, frames=41).open() as stream:
        stamps = [stream.read().stamp for _ in range(41)]
    assert (stamps[40].captured_at - stamps[0].captured_at).total_seconds() == pytest.approx(2)
    assert [stamp.seq for stamp in stamps] == list(range(41))
    assert all(one.captured_ns <= two.captured_ns for one, two in pairwise(stamps))


def test_paced_frames_come_at_their_rate():
    begun_ns = time.monotonic_ns()
    with Demo(size=(320, 240), fps=50, frames=11).open() as stream:
        stamps = [stream.read().stamp for _ in range(11)]
    # Never early; how late is the machine's business, and the first may be late too.
    assert stamps[10].captured_ns - begun_ns >= 0.2e9


def test_from_the_configuration():
    section = DemoSource(type="demo", width=320, height=240, faces=2, frames=1, fast=True)
    source = open_source(section)
    assert source.name == "demo, 2 faces"
    assert not source.live
    with source.open() as stream:
        assert (stream.read().stamp.width, stream.read()) == (320, None)
