import numpy as np
import pytest

from fer_edge.training.balance import class_weights, draw, region_weights

LABELS = np.repeat([0, 1, 7], [700, 200, 100])


def test_class_weights_make_every_class_count_as_much() -> None:
    weights = class_weights(LABELS)
    np.testing.assert_allclose(weights[[0, 800, 950]], [1000 / 5600, 1000 / 1600, 1000 / 800])
    sums = np.bincount(LABELS, weights, minlength=8)
    np.testing.assert_allclose(sums[sums > 0], 125)


def test_region_weights_make_every_region_count_as_much() -> None:
    plane = np.array([[0.9, 0.9]] * 3 + [[-0.9, 0.0]] + [[np.nan, 0.0]], np.float32)
    weights = region_weights(plane, 7)
    np.testing.assert_allclose(weights, [2 / 3, 2 / 3, 2 / 3, 2, 1])


def test_without_valence_and_arousal_all_weigh_the_same() -> None:
    np.testing.assert_array_equal(region_weights(np.full((3, 2), np.nan, np.float32), 7), 1)


def test_plain_drawing_takes_every_picture_once() -> None:
    rows = draw(LABELS, 0, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(rows), np.arange(1000))
    assert (rows != np.arange(1000)).any()


@pytest.mark.parametrize(("sampling", "share"), [(1.0, 1 / 3), (0.5, 0.192)])
def test_rare_classes_are_drawn_more_often(sampling, share) -> None:
    drawn = [LABELS[draw(LABELS, sampling, np.random.default_rng(seed))] == 7 for seed in range(20)]
    # 100 ** .5 / (700 ** .5 + 200 ** .5 + 100 ** .5) for the half-way one.
    assert np.mean(drawn) == pytest.approx(share, abs=0.02)
