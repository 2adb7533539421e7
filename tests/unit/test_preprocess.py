import numpy as np
import pytest

from fer_edge.modelcard import InputSpec
from fer_edge.preprocess import crop_face, to_tensor
from fer_edge.types import Box

SPEC = InputSpec(height=112, width=112, channels=1, scale=1 / 127.5, offset=-1.0, margin=0.0)


@pytest.fixture
def picture() -> np.ndarray:
    image = np.arange(60 * 80, dtype=np.uint32).reshape(60, 80).astype(np.uint8)
    image.flags.writeable = False
    return image


def test_a_box_inside_is_cut_out_exactly(picture: np.ndarray) -> None:
    crop = crop_face(picture, Box(10, 20, 30, 30), margin=0)
    np.testing.assert_array_equal(crop, picture[20:50, 10:40])


def test_crops_are_own_contiguous_and_read_only(picture: np.ndarray) -> None:
    for box in (Box(10, 20, 30, 30), Box(-5, -5, 30, 30), Box(0, 0, 60, 60)):
        crop = crop_face(picture, box, margin=0)
        assert crop.dtype == np.uint8
        assert crop.flags.c_contiguous
        assert not crop.flags.writeable
        assert not np.shares_memory(crop, picture)


def test_a_margin_widens_or_tightens_round_the_centre(picture: np.ndarray) -> None:
    box = Box(30, 20, 20, 20)
    np.testing.assert_array_equal(crop_face(picture, box, margin=0.25), picture[15:45, 25:55])
    np.testing.assert_array_equal(crop_face(picture, box, margin=-0.25), picture[25:35, 35:45])


def test_an_oblong_box_becomes_a_square_of_its_longer_side(picture: np.ndarray) -> None:
    crop = crop_face(picture, Box(30, 10, 20, 40), margin=0)
    np.testing.assert_array_equal(crop, picture[10:50, 20:60])


@pytest.mark.parametrize(
    "box",
    [Box(-10, -10, 30, 30), Box(65, 45, 30, 30), Box(0, 0, 200, 200), Box(500, 500, 9, 9)],
)
def test_outside_the_picture_its_edge_is_repeated(picture: np.ndarray, box: Box) -> None:
    crop = crop_face(picture, box, margin=0)
    side = int(box.width)
    padded = np.pad(picture, 600, mode="edge")
    left, top = int(box.x) + 600, int(box.y) + 600
    np.testing.assert_array_equal(crop, padded[top : top + side, left : left + side])


def test_fractions_of_a_pixel_and_empty_boxes_still_give_a_square(picture: np.ndarray) -> None:
    assert crop_face(picture, Box(10.4, 10.6, 20.3, 19.2), margin=0.1).shape == (24, 24)
    assert crop_face(picture, Box(10, 10, 0, 0), margin=0).shape == (1, 1)


def test_a_tensor_has_one_normalised_picture_for_each_crop() -> None:
    crops = [np.full((side, side), level, np.uint8) for side, level in ((48, 0), (300, 255))]
    tensor = to_tensor(crops, SPEC)
    assert tensor.shape == (2, 112, 112, 1)
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor[0], -1, atol=1e-6)
    np.testing.assert_allclose(tensor[1], 1, atol=1e-6)


def test_no_crops_make_an_empty_tensor() -> None:
    assert to_tensor([], SPEC).shape == (0, 112, 112, 1)


def test_three_channels_repeat_luma() -> None:
    spec = SPEC.model_copy(update={"channels": 3, "height": 56})
    tensor = to_tensor([np.eye(40, dtype=np.uint8) * 255], spec)
    assert tensor.shape == (1, 56, 112, 3)
    np.testing.assert_array_equal(tensor[..., 0], tensor[..., 2])


def test_shrinking_averages_and_does_not_alias() -> None:
    stripes = np.zeros((448, 448), np.uint8)
    stripes[:, ::2] = 200
    tensor = to_tensor([stripes], SPEC)
    np.testing.assert_allclose(tensor, 100 / 127.5 - 1, atol=0.01)
