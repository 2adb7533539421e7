import numpy as np
import pytest
from measure.wild.scene import (
    HEIGHT,
    WIDTH,
    Look,
    Pose,
    affine,
    background,
    cover,
    expose,
    lay,
    true_box,
)

from fer_edge.types import Box


def black():
    return np.zeros((HEIGHT, WIDTH), np.uint8)


def test_an_upright_picture_lies_about_its_place(square_face):
    matrix = affine(square_face, Pose(500, 300, 2.0))

    assert matrix @ (40, 50, 1) == pytest.approx([500, 300])
    assert matrix @ (0, 0, 1) == pytest.approx([420, 200])


def test_a_positive_tilt_turns_clockwise(square_face):
    matrix = affine(square_face, Pose(500, 300, 1.0, 90))

    # What was above the middle is now to its right.
    assert matrix @ (40, 0, 1) == pytest.approx([550, 300])


def test_the_true_box_turns_with_the_picture_and_stays_upright(square_face):
    # The face's middle is 17 px to the left of the picture's, and 25 above it.
    assert true_box(square_face, Pose(500, 300, 2.0)) == Box(436.0, 220.0, 60.0, 60.0)
    turned = true_box(square_face, Pose(500, 300, 2.0, 90))
    assert (turned.x, turned.y) == pytest.approx((500 + 50 - 30, 300 - 34 - 30))
    assert (turned.width, turned.height) == (60.0, 60.0)


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.6])
@pytest.mark.parametrize("tilt", [0, 15, -30, 45])
def test_the_face_is_painted_where_the_true_box_says(square_face, scale, tilt):
    pose = Pose(700.3, 400.8, scale, tilt)

    painted = lay(black(), square_face, pose) / 255

    box = true_box(square_face, pose)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    middle = ((painted * columns).sum(), (painted * rows).sum()) / painted.sum()
    assert middle == pytest.approx((box.x + box.width / 2, box.y + box.height / 2), abs=0.2)
    assert painted.sum() == pytest.approx(box.width**2, rel=0.03)


def test_a_picture_covers_what_is_behind_it_and_nothing_else(square_face):
    white = np.full((HEIGHT, WIDTH), 255, np.uint8)

    painted = lay(white, square_face, Pose(500, 300, 1.0))

    assert painted[255:345, 500:535].max() == 0
    assert (painted[:248] == 255).all()
    assert (painted[:, 542:] == 255).all()
    assert white.min() == 255


@pytest.mark.parametrize("place", [(0, 0), (WIDTH, HEIGHT), (-500, 300)])
def test_a_picture_may_reach_over_the_edge(square_face, place):
    painted = lay(black(), square_face, Pose(*place, 2.0, 20))

    assert painted.shape == (HEIGHT, WIDTH)


def test_less_light_and_noise_by_a_seed():
    frame = np.full((HEIGHT, WIDTH), 200, np.uint8)

    dark = expose(frame, Look(light=0.12), np.random.default_rng(1))

    assert dark.mean() == pytest.approx(24, abs=0.1)
    assert dark.std() == pytest.approx(2.0, abs=0.1)
    assert (dark == expose(frame, Look(light=0.12), np.random.default_rng(1))).all()
    assert expose(frame, Look(), np.random.default_rng(1)) is frame


def test_out_of_focus_spreads_an_edge_and_keeps_the_light():
    frame = black()
    frame[:, WIDTH // 2 :] = 200

    blurred = expose(frame, Look(blur=3.0), np.random.default_rng(1))

    steps = np.abs(np.diff(blurred[HEIGHT // 2].astype(int)))
    # The steepest step of an edge of 200 blurred by a Gaussian of deviation 3.
    assert steps.max() == pytest.approx(200 / 3 / np.sqrt(2 * np.pi), abs=1.5)
    assert blurred.mean() == pytest.approx(frame.mean(), abs=0.5)


@pytest.mark.parametrize("side", ["below", "left", "right"])
def test_a_share_of_the_face_is_covered(square_face, side):
    covered = cover(square_face, 1 / 3, side).picture

    left = np.count_nonzero(covered[10:40, 8:38] == 255)
    assert left == 30 * 20
    assert np.count_nonzero(square_face.picture == 255) == 30 * 30
    where = {"below": covered[35, 20], "left": covered[20, 10], "right": covered[20, 36]}
    assert where[side] == 90


def test_an_unknown_side_is_named(square_face):
    with pytest.raises(ValueError, match=r"above.*use below, left or right"):
        cover(square_face, 0.3, "above")


def test_backgrounds_come_by_the_seed():
    first, again = (background(np.random.default_rng(3)) for _ in range(2))

    assert (first == again).all()
    assert first.shape == (HEIGHT, WIDTH)
    assert first.std() > 20
    assert (first != background(np.random.default_rng(4))).mean() > 0.9
