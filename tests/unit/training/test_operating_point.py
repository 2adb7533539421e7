import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from networks import said as said_by  # noqa: E402

from fer_edge.training.network import fold  # noqa: E402  needs what is checked above
from fer_edge.training.operating_point import (  # noqa: E402
    RARE,
    ROUNDS,
    SHARES,
    by_share,
    chosen_elsewhere,
    moved,
    prior_of,
    towards_rare,
)

PRIOR = np.array([0.4, 0.3, 0.1, 0.1, 0.04, 0.02, 0.03, 0.01])


def said(lean: float = 0.0, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Labels by the prior, and noisy logits that lean by ``lean`` away from what is rare."""
    rng = np.random.default_rng(0)
    labels = rng.choice(8, count, p=PRIOR)
    logits = 2 * np.eye(8)[labels] + rng.normal(0, 0.7, (count, 8)) - towards_rare(PRIOR, lean)
    return logits, labels


def test_a_share_finds_rare_classes_oftener_and_frequent_ones_less_often() -> None:
    tables = by_share(*said(), PRIOR)
    found = np.array([table.diagonal() for table in tables])
    assert all(table.sum() == 4000 for table in tables)
    assert (np.diff(found[:, 7]) >= 0).all()
    assert (np.diff(found[:, 0]) <= 0).all()
    assert found[-1, 7] > found[0, 7]
    assert found[-1, 0] < found[0, 0]


def test_frequent_classes_stay_as_they_are_to_each_other() -> None:
    bias = towards_rare(PRIOR, 0.5)
    assert (bias[PRIOR > RARE] == 0).all()
    np.testing.assert_allclose(bias[7], 0.5 * np.log(5), atol=0.005)
    assert bias[7] > bias[5] > bias[6] > bias[4] > 0


def test_a_share_undoes_a_lean() -> None:
    leaning, upright = by_share(*said(0.5), PRIOR), by_share(*said(), PRIOR)
    righted = leaning[SHARES.index(0.5)]
    # The bias is rounded to hundredths, which turns a face or two.
    np.testing.assert_allclose(righted, upright[SHARES.index(0.0)], atol=3)
    assert np.abs(leaning[SHARES.index(0.0)] - upright[SHARES.index(0.0)]).max() > 10


def test_shares_are_judged_on_faces_that_did_not_choose_them() -> None:
    logits, labels = said(0.6)
    table = chosen_elsewhere(logits, labels, PRIOR)
    assert table.sum() == ROUNDS * len(labels)
    np.testing.assert_array_equal(table.sum(1), ROUNDS * np.bincount(labels, minlength=8))
    # A lean as plain as this one is seen by either half.
    found = table.diagonal() / table.sum(1)
    before = by_share(logits, labels, PRIOR)[SHARES.index(0.0)]
    assert found[7] > before[7, 7] / before[7].sum()


def test_a_moved_network_says_what_the_bias_promised(trained, pictures) -> None:
    weights = fold(trained)
    bias = np.linspace(-1, 1, 8)
    (before, plane), (after, plane_after) = (
        said_by(w, pictures) for w in (weights, moved(weights, bias))
    )
    wanted = before * np.exp(bias)
    np.testing.assert_allclose(after, wanted / wanted.sum(1, keepdims=True), rtol=1e-4)
    np.testing.assert_array_equal(plane_after, plane)


def test_classes_without_pictures_are_no_obstacle() -> None:
    prior = prior_of(np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(prior, [0.75, 0.25, 0, 0, 0, 0, 0, 0])
    assert np.isfinite(towards_rare(prior, 0.5)).all()
