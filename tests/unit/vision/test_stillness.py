"""A portrait, and a person who sits, at five looks a second; the face is a photograph's."""

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from fer_edge.sources._pictures import GrayPicture, JpegPicture
from fer_edge.types import Box, Track
from fer_edge.vision.stillness import Stillness

AFTER_S = 5.0
FPS = 5
FACE = Box(130, 50, 100, 100)
EYES = ((165, 84), (196, 83))


@pytest.fixture(scope="module")
def wall():
    """A photograph of a person, the face at `FACE`."""
    luma = cv2.cvtColor(pictures.astronaut(), cv2.COLOR_RGB2GRAY)
    return cv2.resize(luma[0:300, 60:400], (340, 300), interpolation=cv2.INTER_AREA).astype(
        np.float32
    )


@pytest.fixture
def room(stamp_at):
    return Room(stamp_at)


class Room:
    """Shows pictures to a `Stillness`, and says what it says of the one face."""

    def __init__(self, stamp_at):
        self.stillness = Stillness(AFTER_S)
        self.random = np.random.default_rng(1)
        self.stamp_at = stamp_at
        self.frames = 0

    def show(self, luma, *, noise=2.0, number=1, box=FACE):
        noisy = np.rint(luma + self.random.normal(0, noise, luma.shape)).clip(0, 255)
        return self.show_picture(GrayPicture(noisy.astype(np.uint8)), number=number, box=box)

    def show_picture(self, picture, *, number=1, box=FACE):
        stamp = self.stamp_at(self.frames / FPS)
        self.frames += 1
        self.stillness.resting(picture, stamp)
        track = Track(number, box, stamp.captured_at)
        (told,) = self.stillness.update(picture, [track], stamp)
        return told.still

    def watch(self, luma, seconds, **how):
        return [self.show(luma, **how) for _ in range(round(seconds * FPS))]


def lids_closed(wall):
    shut = wall.copy()
    for eye in EYES:
        tone = float(wall[eye[1] + 12, eye[0]])
        cv2.ellipse(shut, eye, (10, 5), 0, 0, 360, (tone,), -1)
    return shut


def moved(wall, x, y):
    return cv2.warpAffine(wall, np.float32([[1, 0, x], [0, 1, y]]), wall.shape[::-1], borderMode=1)


@pytest.mark.parametrize(("light", "noise"), [(1.0, 2.0), (1.0, 6.0), (0.2, 2.0)])
def test_a_portrait_is_told_after_its_time_whatever_the_noise(room, wall, light, noise):
    told = room.watch(wall * light, 2 * AFTER_S, noise=noise)
    assert not any(told[: round(AFTER_S * FPS)])
    assert all(told[round(AFTER_S * FPS) + 1 :])


@pytest.mark.parametrize("light", [1.0, 0.3])
def test_a_person_who_only_blinks_is_not_still(room, wall, light):
    shut = lids_closed(wall)
    for frame in range(40 * FPS):
        blinks = frame % (4 * FPS) == 0
        assert not room.show((shut if blinks else wall) * light)


def test_a_person_who_only_sways_by_a_pixel_or_two_is_not_still(room, wall):
    for frame in range(40 * FPS):
        second = frame / FPS
        sway = 2 * np.sin(second * 2 * np.pi / 7), 1.5 * np.sin(second * 2 * np.pi / 4)
        assert not room.show(moved(wall, *sway))


def test_whoever_moves_is_living_at_once(room, wall):
    room.watch(wall, 2 * AFTER_S)
    assert room.show(wall)
    assert not room.show(moved(wall, 6, 0), box=Box(FACE.x + 6, FACE.y, 100, 100))


def test_lamps_clouds_and_flicker_wake_no_portrait(room, wall):
    room.watch(wall, 2 * AFTER_S)
    across = np.linspace(0.5, 1.1, wall.shape[1], dtype=np.float32)
    assert all(room.watch(wall * 0.5, 3)), "a lamp went out"
    assert all(room.watch(wall * across, 3)), "the sun comes from one side"
    assert all(room.show(wall * light) for light in np.linspace(0.4, 1.0, 40)), "a cloud"
    assert all(room.show(wall * (0.9, 1.0, 0.8)[n % 3]) for n in range(30)), "a lamp flickers"


def test_a_portrait_that_was_covered_is_soon_still_again(room, wall):
    room.watch(wall, 2 * AFTER_S)
    assert not any(room.watch(wall[::-1], 2))
    told = room.watch(wall, 4)
    assert not told[0]
    assert told[-1]


def test_a_portrait_is_known_again_under_another_id(room, wall, stamp_at):
    room.watch(wall, 2 * AFTER_S)
    empty = GrayPicture(np.full(wall.shape, 90, np.uint8))
    for _ in range(5):
        stamp = stamp_at(room.frames / FPS)
        room.frames += 1
        room.stillness.resting(empty, stamp)
        assert room.stillness.update(empty, [], stamp) == ()
    told = room.watch(wall, 4, number=2)
    assert not told[0]
    assert told[-1]


def test_somebody_who_blinks_after_having_been_taken_for_a_portrait_is_so_ever_less(room, wall):
    room.watch(wall, 2 * AFTER_S)
    shut = lids_closed(wall)
    told = [room.show(shut if frame % (4 * FPS) < 2 else wall) for frame in range(60 * FPS)]
    assert sum(told[30 * FPS :]) == 0


def test_a_reduced_picture_is_compared_as_well_as_a_whole_one(room, wall):
    for frame in range(round(2 * AFTER_S * FPS)):
        ok, data = cv2.imencode(".jpg", cv2.resize(wall, None, fx=2, fy=2).astype(np.uint8))
        assert ok
        picture = JpegPicture(data.tobytes())
        if frame % 2:
            picture.gray(0)
        told = room.show_picture(picture, box=Box(260, 100, 200, 200))
    assert told


def test_nobody_is_still_if_that_is_switched_off(room, wall):
    room.stillness = Stillness(0.0)
    assert not any(room.watch(wall, 2 * AFTER_S))
