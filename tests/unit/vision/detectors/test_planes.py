"""Planes that are lit and turned, the levelled neighbourhood of a face, and the way back."""

import math

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from fer_edge.config import ViolaJonesDetector, YuNetDetector
from fer_edge.errors import ConfigError
from fer_edge.geometry import iou
from fer_edge.preprocess import crop_face
from fer_edge.sources._pictures import GrayPicture
from fer_edge.types import Box, Detection
from fer_edge.vision.detectors import open_detector
from fer_edge.vision.detectors._landmarks import face_of, tilt_of
from fer_edge.vision.detectors._planes import Turned, even_light, wrapped
from fer_edge.vision.detectors._regions import best, cut_region

DETECTORS = {
    "viola_jones": ViolaJonesDetector(),
    "yunet": YuNetDetector(type="yunet"),
}
FACE = Box(170, 70, 108, 108)
"""Eileen Collins' face in scikit-image's portrait, found by eye."""


@pytest.fixture(scope="module")
def portrait():
    return cv2.cvtColor(pictures.astronaut(), cv2.COLOR_RGB2GRAY)


@pytest.fixture(scope="module", params=DETECTORS)
def detector(request):
    return open_detector(DETECTORS[request.param])


def scene(portrait, tilt: float, face_px: float = 216, light: float = 1.0) -> tuple:
    """A 1080p wall with the portrait turned clockwise about the face, and where the face is."""
    rng = np.random.default_rng(0)
    factor = face_px / FACE.width
    first = min(1.0, factor)
    # What is made smaller is averaged, as a camera's pixels average.
    portrait = cv2.resize(portrait, None, fx=first, fy=first, interpolation=cv2.INTER_AREA)
    centre = (first * (FACE.x + FACE.width / 2), first * (FACE.y + FACE.height / 2))
    factor /= first
    matrix = cv2.getRotationMatrix2D(centre, -tilt, factor)
    matrix[:, 2] += (960 - centre[0], 540 - centre[1])
    wall = np.full((1080, 1920), 110, np.uint8)
    laid = cv2.warpAffine(
        portrait, matrix, (1920, 1080), dst=wall, borderMode=cv2.BORDER_TRANSPARENT
    )
    noisy = laid * light + rng.normal(0, 2, laid.shape)
    picture = GrayPicture(noisy.round().clip(0, 255).astype(np.uint8))
    return picture, Box(960 - face_px / 2, 540 - face_px / 2, face_px, face_px)


@pytest.mark.parametrize("tilt", [-45, -30, -15, 0, 15, 30, 45])
def test_a_tilted_head_is_found_followed_and_its_tilt_told(detector, portrait, tilt) -> None:
    picture, where = scene(portrait, tilt)
    turns = [detector.search(picture, (), turn) for turn in range(detector.turns)]
    found = [one for turn in turns for one in turn if iou(one.box, where) > 0.4]
    assert found
    followed = max(found, key=lambda one: one.score)
    for _ in range(3):
        (followed,) = detector.follow(picture, [followed])
        assert iou(followed.box, where) > 0.4
        assert abs(wrapped(followed.angle - tilt)) < 20


def test_a_whole_search_finds_each_face_once(detector, portrait) -> None:
    picture, where = scene(portrait, 22)
    found = detector.search(picture, (), None)
    assert [iou(one.box, where) > 0.4 for one in found] == [True]


def test_a_face_in_the_dark_is_found(detector, portrait) -> None:
    picture, where = scene(portrait, 0, light=0.12)
    assert any(iou(one.box, where) > 0.4 for one in detector.search(picture))


def test_a_small_face_is_found_in_its_turn_and_followed(detector, portrait) -> None:
    picture, where = scene(portrait, 0, face_px=84)
    found = [one for one in detector.search(picture, (), None) if iou(one.box, where) > 0.3]
    assert found
    (followed,) = detector.follow(picture, found[:1])
    assert iou(followed.box, where) > 0.3


def test_landmarks_lie_on_eyes_nose_and_mouth(portrait) -> None:
    picture, where = scene(portrait, 30)
    found = open_detector(YuNetDetector(type="yunet")).search(picture, (), None)
    right, left, nose, *mouth = found[0].landmarks
    assert math.degrees(math.atan2(left[1] - right[1], left[0] - right[0])) == pytest.approx(
        30, abs=12
    )
    for across, down in (right, left, nose, *mouth):
        assert where.x < across < where.x + where.width
        assert where.y < down < where.y + where.height


def test_upright_alone_is_one_turn() -> None:
    only = ViolaJonesDetector(max_tilt_deg=0, small_face=0.12)
    assert open_detector(only).turns == 2, "by each of the cascades"
    assert open_detector(ViolaJonesDetector()).turns == 7
    assert open_detector(YuNetDetector(type="yunet")).turns == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, r"detector\.model: .* is not there; name the file"), (b"no model", "cannot be loaded")],
)
def test_a_model_that_cannot_be_used_is_one_line(tmp_path, content, message) -> None:
    path = tmp_path / "net.onnx"
    if content:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as error:
        open_detector(YuNetDetector(type="yunet", model=path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("angle", [0, 22, -44, 90])
def test_what_is_found_in_a_turned_plane_is_brought_back(angle) -> None:
    plane = np.zeros((90, 160), np.uint8)
    plane[30:34, 100:104] = 255
    turned = Turned.of(plane, angle)
    rows, columns = np.nonzero(turned.plane > 200)
    x, y = columns.mean() + 0.5, rows.mean() + 0.5
    back = turned.back(Detection(Box(x - 5, y - 5, 10, 10), 1.0, 3.0, ((x, y),)))
    assert back.box.x + 5 == pytest.approx(102, abs=1)
    assert back.box.y + 5 == pytest.approx(32, abs=1)
    assert back.landmarks[0] == pytest.approx((102, 32), abs=1) if angle else True
    assert back.angle == pytest.approx(3 + angle)


def test_a_region_is_level_and_the_way_back_is_the_way_there(portrait) -> None:
    picture, where = scene(portrait, 40)
    region = cut_region(picture, Detection(where, 1.0, 40.0), side=96, reach=0.45)
    upright = cut_region(scene(portrait, 0)[0], Detection(where, 1.0), side=96, reach=0.45)
    both = np.corrcoef(region.plane[20:76, 20:76].ravel(), upright.plane[20:76, 20:76].ravel())
    assert both[0, 1] > 0.9
    back = region.back(Detection(Box(38, 38, 20, 20), 1.0, 0.0, ((48.0, 48.0),)))
    assert back.angle == 40
    assert back.landmarks[0] == pytest.approx((960, 540), abs=3)
    assert cut_region(picture, Detection(Box(-500, 0, 50, 50), 1.0), side=96, reach=0.4) is None


def test_a_levelled_crop_is_the_upright_one(portrait) -> None:
    tilted, upright = (scene(portrait, tilt)[0].gray() for tilt in (35, 0))
    box = scene(portrait, 0)[1]
    levelled = crop_face(tilted, box, margin=0.0, angle=35.0)
    plain = crop_face(upright, box, margin=0.0)
    assert levelled.shape == plain.shape
    assert not levelled.flags.writeable
    assert np.corrcoef(levelled.ravel(), plain.ravel())[0, 1] > 0.95
    np.testing.assert_array_equal(crop_face(upright, box, margin=0.0, angle=3.0), plain)


def test_a_plane_in_good_light_is_left_as_it_is_and_a_dark_one_gets_contrast(portrait) -> None:
    assert even_light(portrait) is portrait
    dark = (portrait * 0.12).astype(np.uint8)
    lit = even_light(dark)
    assert lit.std() > 40 > 4 * dark.std() / 2
    assert np.corrcoef(lit.ravel(), portrait.ravel())[0, 1] > 0.8
    assert even_light(np.zeros((20, 20), np.uint8)).shape == (20, 20)


def test_a_window_in_a_dark_room_does_not_keep_it_dark(portrait) -> None:
    room = (portrait * 0.1).astype(np.uint8)
    room[:, 400:] = 250
    assert even_light(room)[60:200, 150:300].std() > 2.5 * room[60:200, 150:300].std()


def test_tilt_is_told_by_the_mouth_where_the_eyes_are_near_each_other() -> None:
    upright = ((30.0, 40.0), (70.0, 40.0), (50.0, 60.0), (35.0, 80.0), (65.0, 80.0))
    assert tilt_of(upright) == pytest.approx(0)
    turned = [
        (
            50 + (x - 50) * math.cos(0.5) - (y - 60) * math.sin(0.5),
            60 + (x - 50) * math.sin(0.5) + (y - 60) * math.cos(0.5),
        )
        for x, y in upright
    ]
    assert tilt_of(turned) == pytest.approx(math.degrees(0.5))
    from_the_side = ((50.0, 38.0), (51.0, 42.0), (40.0, 60.0), (50.0, 80.0), (51.0, 80.0))
    assert abs(tilt_of(from_the_side)) < 10
    face = face_of(Box(20, 10, 60, 90), upright, 0.9)
    assert face.box.width == face.box.height
    assert face.box.x + face.box.width / 2 == pytest.approx(50)


def test_of_two_finds_of_one_face_the_surer_is_kept() -> None:
    near = [Detection(Box(x, 0, 100, 100), score) for x, score in ((0, 1.0), (10, 3.0), (300, 2.0))]
    assert [one.score for one in best(near)] == [3.0, 2.0]
