import pytest

from fer_edge.geometry import area, iou, same_place, scale
from fer_edge.types import Box


def test_iou_of_the_same_box_is_one():
    box = Box(3, 4, 5, 6)
    assert iou(box, box) == 1


def test_iou_by_hand():
    # 10×10 boxes shifted by 5: shared 50, together 150.
    assert iou(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == pytest.approx(50 / 150)


@pytest.mark.parametrize("other", [Box(10, 0, 10, 10), Box(0, 30, 5, 5)])
def test_iou_of_boxes_apart_is_zero(other):
    assert iou(Box(0, 0, 10, 10), other) == 0


def test_scale_and_area():
    assert scale(Box(1, 2, 3, 4), 2) == Box(2, 4, 6, 8)
    assert area(Box(1, 2, 3, 4)) == 12


def test_one_face_is_where_boxes_overlap_or_one_lies_in_the_other():
    face = Box(716, 93, 126, 126)
    assert same_place(face, Box(721, 173, 80, 80))
    assert same_place(face, Box(730, 100, 126, 126))
    assert not same_place(face, Box(830, 93, 126, 126))
    assert not same_place(face, Box(900, 93, 20, 20))
