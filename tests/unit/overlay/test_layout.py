from itertools import combinations, pairwise

import pytest
from scenes import face

from fer_edge.overlay.animate import Arranger
from fer_edge.overlay.labels import Spot, label_rect, place_labels
from fer_edge.overlay.layout import (
    NO_PANEL,
    Placement,
    Rect,
    Sizes,
    View,
    panel_rect,
    place_panels,
)
from fer_edge.overlay.scene import Detail, Scene, Side, Status
from fer_edge.overlay.style import Style
from fer_edge.types import Box, Emotion

HD = (1920, 1080)
SIZES = Sizes.of(*HD)


def test_the_picture_is_whole_and_centred():
    assert View.of((1920, 1080), (480, 320)).area == Rect(0, 25, 480, 270)
    assert View.of((480, 640), HD).area == Rect(555, 0, 810, 1080)


def test_a_box_keeps_its_place_in_the_picture():
    view = View.of((1920, 1080), (480, 320))
    assert view.box(Box(960, 540, 192, 96)) == Rect(240, 160, 48, 24)


def test_a_label_is_above_its_box_and_always_on_the_screen():
    size = (300, 69)
    for x in range(-200, 2000, 50):
        for y in range(-200, 1200, 50):
            rect = label_rect(Rect(x, y, 300, 300), Spot.ABOVE, size, SIZES, HD)
            assert rect.x >= 0
            assert rect.y >= 0
            assert rect.right <= 1920
            assert rect.bottom <= 1080
    assert label_rect(Rect(500, 500, 300, 300), Spot.ABOVE, size, SIZES, HD).bottom < 500


def test_a_label_never_jumps():
    """A box that moves by a pixel moves its label by a pixel at most."""
    size = (300, 69)
    rects = [
        label_rect(Rect(t, 300 - t, 200, 200), Spot.ABOVE, size, SIZES, HD) for t in range(400)
    ]
    for one, next_one in pairwise(rects):
        assert abs(one.x - next_one.x) <= 1
        assert abs(one.y - next_one.y) <= 1


def test_a_panel_beside_the_box_or_not_at_all():
    box = Rect(600, 300, 300, 300)
    right = panel_rect(box, Detail.FULL, Side.RIGHT, SIZES, HD)
    left = panel_rect(box, Detail.FULL, Side.LEFT, SIZES, HD)
    assert right.x > box.right
    assert left.right < box.x
    assert panel_rect(Rect(1700, 300, 200, 200), Detail.FULL, Side.RIGHT, SIZES, HD) is None


def test_a_single_face_has_the_full_panel_on_the_right():
    chosen, best = place_panels({1: Rect(600, 300, 300, 300)}, {}, SIZES, HD)
    assert chosen == best == {1: Placement(Detail.FULL, Side.RIGHT)}


def test_what_was_there_stays_while_it_fits():
    before = {1: Placement(Detail.CIRCUMPLEX, Side.LEFT)}
    chosen, best = place_panels({1: Rect(600, 300, 300, 300)}, before, SIZES, HD)
    assert chosen == before
    assert best == {1: Placement(Detail.FULL, Side.RIGHT)}


def test_panels_cover_neither_faces_nor_each_other_nor_labels():
    boxes = {i: Rect(60 + 620 * i, 350, 220, 220) for i in range(3)}
    taken = [Rect(100, 280, 1800, 60)]
    chosen, _ = place_panels(boxes, {}, SIZES, HD, taken)
    shown = [
        panel_rect(boxes[i], one.detail, one.side, SIZES, HD)
        for i, one in chosen.items()
        if one != NO_PANEL
    ]
    assert shown
    for index, rect in enumerate(shown):
        assert not any(rect.overlaps(other) for other in [*boxes.values(), *taken])
        assert not any(rect.overlaps(other) for other in shown[index + 1 :])


def test_no_room_no_panel():
    chosen, best = place_panels({1: Rect(0, 0, 200, 200)}, {}, Sizes.of(200, 200), (200, 200))
    assert chosen == best == {1: NO_PANEL}


@pytest.mark.parametrize("screen", [HD, (480, 320), (720, 1280), (320, 480)])
def test_no_panel_lies_on_the_figures_in_the_corner(screen):
    sizes = Sizes.of(*screen)
    width, height = sizes.corner
    corner = Rect(0, screen[1] - height, width, height)
    for x in range(-100, screen[0], 37):
        for y in range(-100, screen[1], 29):
            for detail in (Detail.FULL, Detail.CIRCUMPLEX):
                for side in Side:
                    rect = panel_rect(Rect(x, y, 110, 110), detail, side, sizes, screen)
                    assert rect is None or not rect.overlaps(corner)


def test_a_face_that_fills_the_screen_has_its_circumplex_within():
    for screen in (HD, (480, 320)):
        chosen, _ = place_panels({1: Rect(0, 0, *screen)}, {}, Sizes.of(*screen), screen)
        assert chosen == {1: Placement(Detail.CIRCUMPLEX, Side.INSIDE)}


def test_an_upright_screen_has_panels_below_its_faces():
    boxes = {1: Rect(40, 200, 70, 70), 2: Rect(190, 210, 60, 60)}
    chosen, _ = place_panels(boxes, {}, Sizes.of(320, 480), (320, 480))
    assert [one.side for one in chosen.values()] == [Side.BELOW, Side.BELOW]


def test_the_small_screen_has_room_for_the_bars_of_a_face_at_its_edge():
    sizes = Sizes.of(480, 320)
    chosen, _ = place_panels({1: Rect(30, 80, 110, 110)}, {}, sizes, (480, 320))
    assert chosen == {1: Placement(Detail.FULL, Side.RIGHT)}


SCREENS = [HD, (480, 320), (320, 480), (720, 1280)]


@pytest.mark.parametrize("screen", SCREENS, ids=str)
@pytest.mark.parametrize("share", [0.2, 0.3, 0.45])
def test_a_face_in_any_corner_has_its_circumplex_at_least(screen, share, typesetter):
    style = Style(screen, typesetter)
    side = round(share * min(screen))
    for x in (0, 5, (screen[0] - side) // 2, screen[0] - side - 5, screen[0] - side):
        for y in (0, 5, (screen[1] - side) // 2, screen[1] - side - 5, screen[1] - side):
            for emotion in (Emotion.SAD, Emotion.SURPRISE):
                frame = face(emotion=emotion, box=Box(x, y, side, side))
                scene = Scene(*screen, (frame,), Status())
                placements, labels = Arranger().arrange(scene, style, 0)
                where = (x, y, emotion)
                assert placements[1] != NO_PANEL, where
                box, size = Rect(x, y, side, side), style.label_size(frame, style.label_px(1))
                label = label_rect(box, labels[1], size, style.sizes, screen)
                one = placements[1]
                panel = panel_rect(box, one.detail, one.side, style.sizes, screen)
                assert not panel.overlaps(label), where
                assert one.side is Side.INSIDE or not panel.overlaps(box), where


@pytest.mark.parametrize("screen", SCREENS, ids=str)
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_labels_of_two_faces_do_not_lie_on_each_other(screen, scale, typesetter):
    style = Style(screen, typesetter, scale=scale)
    px = style.label_px(2)
    faces = {1: face(1, emotion=Emotion.SURPRISE), 2: face(2, emotion=Emotion.CONTEMPT)}
    wanted = {number: style.label_size(one, px) for number, one in faces.items()}
    assert 2 * max(width for width, _ in wanted.values()) <= screen[0]
    side = min(screen) // 4
    across = range(0, screen[0] - side + 1, (screen[0] - side) // 6)
    down = range(0, screen[1] - side + 1, (screen[1] - side) // 6)
    places = [Rect(x, y, side, side) for x in across for y in down]
    for one, other in combinations(places, 2):
        if one.overlaps(other):
            continue
        boxes = {1: one, 2: other}
        spots, _ = place_labels(boxes, wanted, {}, style.sizes, screen)
        first, second = (
            label_rect(boxes[face], spot, wanted[face], style.sizes, screen)
            for face, spot in spots.items()
        )
        assert not first.overlaps(second), boxes


def test_a_label_that_fits_stays_and_is_told_of_better():
    boxes = {1: Rect(100, 500, 200, 200), 2: Rect(900, 500, 200, 200)}
    wanted = dict.fromkeys(boxes, (300, 69))
    before = {1: Spot.BELOW, 2: Spot.HIGHER}
    chosen, better = place_labels(boxes, wanted, before, SIZES, HD)
    assert chosen == before
    assert better == {1: Spot.ABOVE, 2: Spot.ABOVE}
