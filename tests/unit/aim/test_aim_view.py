"""A picture becomes characters, and says in a word whether it is dark or soft."""

import re

import cv2
import numpy as np
import pytest

from fer_edge.aim._blocks import SHADES, blocks, fit, nearest_256
from fer_edge.aim._figures import brightness, sharpness
from fer_edge.aim._view import (
    BOX_COLOUR,
    IGNORED_COLOUR,
    ZONE_COLOUR,
    of_faces,
    small_picture,
    view,
)
from fer_edge.config import ZoneConfig
from fer_edge.sources.demo import Demo


@pytest.fixture(scope="module")
def frame():
    with Demo(size=(640, 360), fast=True, frames=1).open() as stream:
        return stream.read()


def plain(line):
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


@pytest.mark.parametrize(
    ("size", "room", "made"),
    [
        ((1920, 1080), (80, 40), (80, 44)),
        ((1920, 1080), (300, 20), (71, 40)),
        ((1080, 1920), (80, 40), (45, 80)),
        ((1920, 1080), (1, 1), (1, 2)),
    ],
)
def test_a_picture_fits_into_the_terminal_and_keeps_its_shape(size, room, made):
    assert fit(size, *room) == made


def test_a_character_shows_two_pixels():
    picture = np.array([[[0, 0, 255], [0, 0, 255]], [[255, 0, 0], [0, 255, 0]]], np.uint8)
    (line,) = blocks(picture, "truecolor")
    assert line == "\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀\x1b[48;2;0;255;0m▀\x1b[0m"
    (line,) = blocks(picture, "256")
    assert line == "\x1b[38;5;196m\x1b[48;5;21m▀\x1b[48;5;46m▀\x1b[0m"
    (line,) = blocks(np.repeat(picture[:1] * 0 + 255, 2, axis=0), "none")
    assert line == SHADES[-1] * 2


def test_greys_are_taken_from_the_scale_of_greys():
    rgb = np.array(
        [[0, 0, 0], [8, 8, 8], [128, 128, 128], [255, 255, 255], [95, 135, 175]], np.uint8
    )
    codes = nearest_256(rgb).tolist()
    assert codes[:4] == [232, 232, 244, 255]
    assert codes[4] == 16 + 36 + 12 + 3


@pytest.mark.parametrize("depth", ["truecolor", "256", "none"])
def test_the_view_fills_the_terminal_and_no_more(frame, face, depth):
    lines = view(frame, [face], columns=60, rows=20, depth=depth)
    assert len(lines) == 19, "16:9 leaves a line free"
    assert {len(plain(line)) for line in lines[:-2]} == {60}
    assert re.fullmatch(r"brightness \d+ good · sharpness \d+ sharp · q ends", lines[-2])
    assert lines[-1].startswith("1 face: happy 0.9")
    note = view(frame, [], columns=20, rows=20, depth=depth, note="the camera was unplugged")[-1]
    assert note == "the camera was unplu"
    note = view(frame, [], columns=40, rows=20, depth=depth, note="it is \x1b]0;x\x07 odd")[-1]
    assert note == "it is  ]0;x  odd", "a camera's words steer no terminal"


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (200, 2)])
def test_a_tiny_terminal(frame, size):
    lines = view(frame, [], columns=size[0], rows=size[1], depth="256")
    assert len(lines) <= size[1]
    assert all(len(plain(line)) <= size[0] for line in lines)


def test_boxes_are_drawn_where_the_faces_are(frame, face):
    small = small_picture(frame, [face], 64, 18)
    assert small.shape == (36, 64, 3)
    box = face.track.box
    corner = round(box.y / 10), round(box.x / 10)
    assert tuple(small[corner]) == BOX_COLOUR
    assert (small_picture(frame, [], 64, 18)[corner] != BOX_COLOUR).any()


def test_zones_are_outlined_in_the_picture(frame):
    corners = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    sofa = ZoneConfig(name="sofa", points=corners)
    drawn = small_picture(frame, [], 64, 18, [sofa])
    assert tuple(drawn[35, 10]) == tuple(drawn[10, 32]) == ZONE_COLOUR
    ignored = small_picture(frame, [], 64, 18, [sofa.model_copy(update={"use": "ignore"})])
    assert tuple(ignored[35, 10]) == IGNORED_COLOUR
    assert (drawn[10, 40:] == small_picture(frame, [], 64, 18)[10, 40:]).all()


def test_faces_in_a_line(face):
    assert of_faces([]) == "no face"
    assert of_faces([face, face]).startswith("2 faces: happy")


def test_brightness_and_sharpness_in_a_word(frame):
    luma = frame.picture.gray()
    assert brightness(luma)[1] == "good"
    assert brightness((luma * 0.2).astype(np.uint8))[1] == "dark"
    assert brightness(np.maximum(luma, 220))[1] == "bright"
    blurred = cv2.GaussianBlur(luma, (0, 0), 4)
    assert sharpness(luma)[1] == "sharp"
    assert sharpness(blurred)[1] == "soft"
    assert sharpness(blurred)[0] < sharpness(luma)[0] / 4
