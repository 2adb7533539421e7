"""What is drawn, looked at by the pixel and against stored pictures."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from compare import similar
from scenes import face, scene_of

from fer_edge.overlay.draw import draw
from fer_edge.overlay.labels import label_rect, place_labels
from fer_edge.overlay.layout import Detail, Placement, Rect, Side
from fer_edge.overlay.palette import EMOTION_COLOURS
from fer_edge.overlay.scene import ShownZone, Status
from fer_edge.overlay.style import ENGLISH, Style
from fer_edge.overlay.symbols import symbol_mask
from fer_edge.types import EMOTIONS, Box, Emotion

FULL = {1: Placement(Detail.FULL, Side.RIGHT)}
SCREENS = [(1920, 1080), (480, 320)]


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_like_the_stored_picture(screen, typesetter, demo_picture):
    detail = Detail.FULL if screen[0] > 1000 else Detail.CIRCUMPLEX
    shown = {1: Placement(detail, Side.RIGHT)}
    image = draw(demo_picture, scene_of(face()), shown, Style(screen, typesetter))
    similar(image, "draw_{}x{}".format(*screen))


def test_the_same_again(typesetter, demo_picture):
    style = Style((640, 360), typesetter)
    scene = scene_of(face())
    first, second = (draw(demo_picture, scene, FULL, style) for _ in range(2))
    assert np.array_equal(first, second)


def test_the_picture_given_is_left_alone(typesetter, demo_picture):
    before = demo_picture.copy()
    draw(demo_picture, scene_of(face()), FULL, Style((1920, 1080), typesetter))
    assert np.array_equal(before, demo_picture)


def test_a_box_in_the_emotions_colour(typesetter):
    scene = scene_of(face(box=Box(600, 400, 300, 300)), status=None)
    image = draw(None, scene, {}, Style((1920, 1080), typesetter))
    red, green, blue = EMOTION_COLOURS[Emotion.HAPPY]
    assert tuple(image[550, 600]) == (blue, green, red)
    assert not image[550, 650].any(), "the face itself is not drawn over"


def test_without_a_picture_only_drawings_on_black(typesetter):
    image = draw(None, scene_of(face()), FULL, Style((1920, 1080), typesetter))
    assert not image[:200].any()
    assert image.any()


def test_a_transparent_layer_is_transparent_where_nothing_is_drawn(typesetter):
    image = draw(None, scene_of(face()), FULL, Style((1920, 1080), typesetter, transparent=True))
    assert image.shape == (1080, 1920, 4)
    opacity = image[:, :, 3].astype(int)
    assert (opacity == 0).mean() > 0.7
    assert opacity.max() == 255
    assert (image[:, :, :3].max(axis=2) <= opacity + 1).all(), "colours multiplied by opacity"


def test_a_layer_over_a_picture_is_what_is_drawn_on_it(typesetter, demo_picture):
    """The same drawing, blended by a display controller instead of here."""
    scene = scene_of(face())
    on_it = draw(demo_picture, scene, FULL, Style((1920, 1080), typesetter))
    layer = draw(None, scene, FULL, Style((1920, 1080), typesetter, transparent=True))
    keep = 1 - layer[:, :, 3:].astype(float) / 255
    blended = demo_picture * keep + layer[:, :, :3]
    assert np.abs(blended - on_it).max() < 6


def test_other_proportions_leave_bars_and_distort_nothing(typesetter, demo_picture):
    image = draw(demo_picture, scene_of(status=None), {}, Style((480, 320), typesetter))
    assert not image[:25].any()
    assert not image[295:].any()
    expected = cv2.resize(demo_picture, (480, 270), interpolation=cv2.INTER_AREA)
    assert np.array_equal(image[25:295], expected)


def test_names_in_another_language_have_their_own_letters(typesetter):
    def label(word):
        words = {**ENGLISH, "happy": word}
        image = draw(None, scene_of(face()), {}, Style((1920, 1080), typesetter, words))
        return image[405:480, 380:560]

    words = ["fröhlich", "frohlich", "šťastný", "stastny", "радость", "χαρούμενος", "�"]
    drawn = [label(word) for word in words]
    for index, one in enumerate(drawn):
        for other in drawn[index + 1 :]:
            assert not np.array_equal(one, other)


def test_no_two_symbols_look_alike():
    masks = [symbol_mask(emotion, 24).astype(int) for emotion in (*EMOTIONS, None)]
    for index, one in enumerate(masks):
        for other in masks[index + 1 :]:
            assert np.abs(one - other).mean() > 5


def test_no_two_colours_are_alike_to_the_colour_blind():
    """As protan-, deuteran- and tritanopes see them, about (linear RGB after Viénot et al. 1999)."""
    views = {
        "protan": [[0.1124, 0.8876, 0], [0.1124, 0.8876, 0], [0.0040, -0.0040, 1]],
        "deutan": [[0.2928, 0.7072, 0], [0.2928, 0.7072, 0], [-0.0223, 0.0223, 1]],
        "tritan": [[1, 0.1446, -0.1446], [0, 0.8592, 0.1408], [0, 0.8592, 0.1408]],
    }
    for matrix in views.values():
        linear = (np.array(list(EMOTION_COLOURS.values())) / 255.0) ** 2.2 @ np.array(matrix).T
        seen = (np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.float32)
        lab = cv2.cvtColor(seen[None], cv2.COLOR_RGB2LAB)[0]
        for index, one in enumerate(lab):
            for other in lab[index + 1 :]:
                assert np.linalg.norm(one - other) > 10


def test_text_is_larger_on_a_larger_screen_and_legible_on_a_small_one(typesetter):
    sizes = [Style(screen, typesetter).sizes for screen in SCREENS]
    assert sizes[0].label == 46
    assert sizes[1].label == 30
    assert sizes[1].small >= 15
    assert Style((480, 320), typesetter, scale=1.5).sizes.label == 45


@pytest.mark.parametrize("screen", [(480, 320), (320, 480)])
def test_labels_of_faces_in_a_row_do_not_lie_on_each_other(screen, typesetter):
    style = Style(screen, typesetter)
    side = screen[0] // 8
    places = ((0.06, 201), (0.31, 207), (0.55, 196), (0.78, 205))
    boxes = [Rect(round(x * screen[0]), y, side, side) for x, y in places]
    boxes = dict(enumerate(boxes))
    wanted = dict.fromkeys(boxes, style.label_size(face(), style.label_px(4)))
    spots, _ = place_labels(boxes, wanted, {}, style.sizes, screen)
    labels = [label_rect(boxes[i], spots[i], wanted[i], style.sizes, screen) for i in boxes]
    for index, label in enumerate(labels):
        assert not any(label.overlaps(other) for other in (*labels[index + 1 :], *boxes.values()))


def test_names_in_another_language_are_not_cut(typesetter):
    words = {**ENGLISH, "contempt": "περιφρονητικός"}
    for screen in (*SCREENS, (960, 540)):
        for given in (ENGLISH, words):
            style = Style(screen, typesetter, given)
            sizes = style.sizes
            longest = max(typesetter.width(given[e.value], sizes.small) for e in EMOTIONS)
            assert sizes.row + sizes.gap + longest <= sizes.names
            assert sizes.panel - sizes.names > 4 * sizes.small, "room for the bars"


def test_labels_shrink_so_that_many_fit_beside_each_other(typesetter):
    style = Style((480, 320), typesetter)
    assert style.label_px(1) == style.sizes.label
    assert style.label_px(3) < style.sizes.label
    assert style.label_px(8) == style.sizes.small


def test_a_label_is_as_wide_whatever_the_number(typesetter):
    style = Style((1920, 1080), typesetter)
    low, high = (replace(face(), confidence=confidence) for confidence in (0.0, 1.0))
    assert style.label_size(low, 46) == style.label_size(high, 46)
    assert style.label_size(low, 46)[0] > typesetter.width("happy 100 %", 46)


def test_the_corner_says_whether_the_broker_is_connected(typesetter):
    def corner(broker):
        scene = scene_of(status=Status(29.8, 43, broker))
        return draw(None, scene, {}, Style((1920, 1080), typesetter))[900:, :600]

    connected, lost, none = corner(broker=True), corner(broker=False), corner(broker=None)
    assert not np.array_equal(connected, lost)
    assert (none > 0).sum() < (lost > 0).sum()


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("screen", [*SCREENS, (320, 480), (240, 240)], ids=str)
def test_the_corner_is_whole_on_any_screen(screen, scale, typesetter):
    style = Style(screen, typesetter, scale=scale)
    image = draw(None, scene_of(status=Status(99.9, 9999, broker=True)), {}, style)
    columns = np.nonzero(image.any(axis=(0, 2)))[0]
    assert columns[-1] < screen[0] - 1
    assert columns[-1] - columns[0] > 15 * style.status_px() / 2


def test_a_notice_in_the_middle(typesetter):
    image = draw(None, scene_of(notice="no picture"), {}, Style((1920, 1080), typesetter))
    assert image[500:580, 700:1220].any()


CORNERS = ((0.1, 0.1), (0.6, 0.1), (0.6, 0.8), (0.1, 0.8))


def test_a_zone_is_outlined_and_an_ignored_one_hatched(typesetter):
    style = Style((1920, 1080), typesetter)
    empty = replace(scene_of(), status=None)
    plain, ignored = (
        draw(None, replace(empty, zones=(ShownZone("sofa", CORNERS, hidden),)), {}, style)
        for hidden in (False, True)
    )
    for image in (plain, ignored):
        assert image[540, 190:195].any(), "the outline on the left"
        assert not image[950:, 1300:].any(), "nothing outside"
    inside = slice(400, 800), slice(400, 1000)
    assert not plain[inside].any()
    assert ignored[inside].any()


def test_a_still_face_is_dimmed(typesetter, demo_picture):
    style = Style((1920, 1080), typesetter)
    living = face(box=Box(600, 300, 300, 300))
    bright, dimmed = (
        draw(demo_picture, scene_of(one), {}, style)
        for one in (living, replace(living, still=True))
    )
    inside = slice(320, 580), slice(620, 880)
    assert dimmed[inside].mean() < 0.6 * bright[inside].mean()
    assert np.array_equal(dimmed[:200, 1000:], bright[:200, 1000:])
