import random
from itertools import pairwise

import numpy as np
import pytest
from scenes import face, scene_of

from fer_edge.overlay.animate import TRAIL_S, UPGRADE_S, Animator, Arranger
from fer_edge.overlay.draw import draw
from fer_edge.overlay.labels import Spot, label_rect
from fer_edge.overlay.layout import Placement, Rect, Sizes
from fer_edge.overlay.scene import Detail, Side
from fer_edge.overlay.style import Style
from fer_edge.types import Affect, Box, Emotion, Face, Result, Track

HD = (1920, 1080)
SIZES = Sizes.of(*HD)
EVEN = np.full(8, 0.125, np.float32)


@pytest.fixture
def result(stamp_at):
    def make(seconds, box, *, valence=0.0):
        stamp = stamp_at(seconds)
        face = Face(Track(1, box, stamp.captured_at), Emotion.HAPPY, 0.9, Affect(EVEN, valence, 0))
        return Result(stamp, (face,))

    return make


def test_a_face_that_stands_does_not_tremble(result):
    noise = random.Random(1)
    animator = Animator()
    shown = []
    for frame in range(150):
        jitter = noise.uniform(-4, 4)
        animator.update(result(frame / 30, Box(500 + jitter, 300, 200, 200)))
        shown.append(animator.scene().faces[0].box.x)
    steps = np.abs(np.diff(shown[30:]))
    assert np.std(shown[30:]) < 1.3, "given: 2.3"
    assert steps.max() < 2.5, "given: up to 8"


def test_a_face_that_moves_is_followed(result):
    animator = Animator()
    for frame in range(60):
        animator.update(result(frame / 30, Box(100 + 20 * frame, 300, 200, 200)))
    assert animator.scene().faces[0].box.x == pytest.approx(100 + 20 * 59, abs=12)


def test_the_first_box_is_shown_as_it_is(result):
    animator = Animator()
    animator.update(result(0, Box(500, 300, 200, 100)))
    assert animator.scene().faces[0].box == Box(500, 300, 200, 100)


def test_the_trail_is_of_the_last_seconds(result):
    animator = Animator()
    for frame in range(300):
        animator.update(result(frame / 30, Box(500, 300, 200, 200), valence=frame / 300))
    trail = animator.scene().faces[0].trail
    assert trail[-1] == (pytest.approx(299 / 300), 0)
    assert len(trail) == pytest.approx(TRAIL_S * 30, abs=1)


def test_a_face_that_left_is_gone(result, stamp_at):
    animator = Animator()
    animator.update(result(0, Box(500, 300, 200, 200)))
    animator.update(Result(stamp_at(1)))
    assert animator.scene().faces == ()


def test_cleared(result):
    animator = Animator()
    animator.update(result(0, Box(500, 300, 200, 200)))
    animator.clear()
    assert animator.scene().faces == ()


def test_a_larger_panel_waits_until_there_has_been_room_for_a_while():
    arranger = Arranger()
    box, other = Rect(600, 300, 300, 300), Rect(0, 0, 0, 0)
    crowd = [Rect(0, 0, 560, 1080), Rect(1150, 0, 770, 1080)]
    second = 1_000_000_000
    small = arranger.panels({1: box}, crowd, SIZES, HD, 0)
    assert small == {1: Placement(Detail.CIRCUMPLEX, Side.RIGHT)}
    soon = arranger.panels({1: box}, [other], SIZES, HD, second)
    assert soon == small, "not at once"
    later = arranger.panels({1: box}, [other], SIZES, HD, round((1.1 + UPGRADE_S) * second))
    assert later == {1: Placement(Detail.FULL, Side.RIGHT)}


def test_room_that_comes_and_goes_changes_nothing():
    arranger = Arranger()
    box = Rect(600, 300, 300, 300)
    crowd = [Rect(0, 0, 560, 1080), Rect(1150, 0, 770, 1080)]
    seen = {
        str(arranger.panels({1: box}, crowd if i % 2 else [], SIZES, HD, i * 66_000_000))
        for i in range(1, 100)
    }
    assert len(seen) == 1


SIZE = (300, 69)
STEP_NS = 33_000_000


def spots_of(arranger, steps):
    """Where both faces' labels were, step by step; `steps` gives their boxes, the first first."""
    shown = []
    for number, boxes in enumerate(steps):
        wanted = dict.fromkeys(boxes, SIZE)
        spots = arranger.labels(boxes, wanted, SIZES, HD, number * STEP_NS)
        rects = [label_rect(boxes[face], spot, SIZE, SIZES, HD) for face, spot in spots.items()]
        assert not rects[0].overlaps(rects[1]), number
        shown.append((spots[1], spots[2]))
    return shown


def passing(seconds, way, *, noise=6.0, swap=False):
    """A face that stands, and another whose distance goes along `way`; both tremble."""
    random_ = random.Random(2)
    count = round(seconds / STEP_NS * 1e9)
    for number in range(count):
        share = number / (count - 1) * (len(way) - 1)
        at = min(int(share), len(way) - 2)
        away = way[at] + (way[at + 1] - way[at]) * (share - at)
        x, y = (round(value + random_.uniform(-noise, noise)) for value in (500 + away, 500))
        boxes = [(1, Rect(500, 500, 200, 200)), (2, Rect(x, y, 200, 200))]
        yield dict(reversed(boxes) if swap and random_.random() < 0.5 else boxes)


def changes(shown):
    return sum(one != other for one, other in pairwise(shown))


@pytest.mark.parametrize("swap", [False, True], ids=["", "either may be the larger"])
def test_a_label_at_a_boundary_does_not_flap(swap):
    """The other's label begins 300 pixels away; there the face stands and trembles for 20 seconds."""
    shown = spots_of(Arranger(), passing(20, [310, 296], swap=swap))
    assert changes(shown) == 1
    assert shown[0] == (Spot.ABOVE, Spot.ABOVE)


def test_without_memory_it_would():
    shown = [spots_of(Arranger(), [boxes])[0] for boxes in passing(20, [310, 296])]
    assert changes(shown) > 20


def test_a_label_comes_back_once_there_has_been_room_for_a_while():
    shown = spots_of(Arranger(), passing(20, [420, 260, 260, 420, 420]))
    assert shown[0] == shown[-1] == (Spot.ABOVE, Spot.ABOVE)
    assert changes(shown) == 2
    moved = next(n for n, spots in enumerate(shown) if spots != shown[0])
    back = next(n for n, spots in enumerate(shown) if n > moved and spots == shown[0])
    clear = next(
        n
        for n, boxes in enumerate(passing(20, [420, 260, 260, 420, 420]))
        if n > len(shown) / 2 and boxes[2].x > 812
    )
    assert back - clear >= 0.9 * UPGRADE_S / STEP_NS * 1e9


def test_a_new_face_moves_nobodys_label():
    arranger = Arranger()
    box, larger = Rect(500, 500, 200, 200), Rect(560, 510, 280, 280)
    arranger.labels({1: box}, {1: SIZE}, SIZES, HD, 0)
    wanted = {2: SIZE, 1: SIZE}
    spots = arranger.labels({2: larger, 1: box}, wanted, SIZES, HD, STEP_NS)
    assert spots[1] is Spot.ABOVE
    assert spots[2] is not Spot.ABOVE
    later = arranger.labels({2: larger, 1: box}, wanted, SIZES, HD, 99 * STEP_NS)
    assert later == spots


def test_what_is_arranged_is_what_is_drawn(typesetter):
    style = Style(HD, typesetter)
    faces = [face(1, box=Box(500, 500, 200, 200)), face(2, box=Box(560, 510, 190, 190))]
    scene = scene_of(*faces, status=None)
    _, labels = Arranger().arrange(scene, style, 0)
    assert labels == {1: Spot.ABOVE, 2: Spot.BELOW}
    px = style.label_px(2)
    rect = label_rect(
        Rect(560, 510, 190, 190), Spot.BELOW, style.label_size(faces[1], px), style.sizes, HD
    )
    drawn, other = (draw(None, scene, {}, style, spots) for spots in (labels, {}))
    inside = (slice(rect.y, rect.bottom), slice(rect.x, rect.right))
    assert drawn[inside].max() == 255, "white letters"
    assert not other[inside].any()
