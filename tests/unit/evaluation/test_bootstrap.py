import numpy as np
import pytest
from scipy import stats

from fer_edge.evaluation import metrics
from fer_edge.evaluation.bootstrap import intervals


@pytest.fixture(scope="module")
def given() -> tuple[np.ndarray, ...]:
    """Truth, probabilities that are right two times in three, and a plane."""
    rng = np.random.default_rng(3)
    truth = rng.choice(8, 1000, p=[0.35, 0.3, 0.1, 0.1, 0.05, 0.04, 0.04, 0.02])
    said = np.where(rng.random(1000) < 0.6, truth, rng.integers(0, 8, 1000))
    plane = rng.uniform(-0.8, 0.8, (1000, 2))
    guess = (plane * 0.7 + rng.normal(0.05, 0.2, plane.shape)).clip(-1, 1)
    return truth, np.eye(8)[said] * 0.5 + 0.5 / 8, plane, guess


@pytest.fixture(scope="module")
def bounds(given) -> dict[str, tuple[float, float]]:
    return intervals(*given)


def test_the_interval_of_a_share_is_that_of_the_normal_approximation(given, bounds) -> None:
    truth, probabilities, *_ = given
    share = metrics.accuracy(metrics.confusion(truth, probabilities.argmax(1)))
    low, high = bounds["accuracy"]
    assert low < share < high
    half = 1.96 * (share * (1 - share) / len(truth)) ** 0.5
    assert high - low == pytest.approx(2 * half, rel=0.15)


def test_intervals_agree_with_scipy(given, bounds) -> None:
    _, _, plane, guess = given
    drawn = stats.bootstrap(
        (plane[:, 0], guess[:, 0]),
        metrics.ccc,
        paired=True,
        vectorized=False,
        n_resamples=500,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert bounds["valence.ccc"] == pytest.approx((drawn.low, drawn.high), abs=0.01)


def test_every_figure_has_one_that_holds_it(given, bounds) -> None:
    truth, probabilities, plane, guess = given
    predicted = probabilities.argmax(1)
    table = metrics.confusion(truth, predicted)
    drawn = metrics.normalised(truth, predicted)
    arousal = metrics.axis_figures(plane, guess, 1)
    figures = {
        "normalised_accuracy": drawn.accuracy,
        "normalised_f1": drawn.f1,
        "macro_f1": metrics.macro_f1(table),
        "calibration_error": metrics.calibration_error(truth, probabilities),
        "sensitivity.contempt": metrics.sensitivities(table)[7],
        "arousal.rmse": arousal.rmse,
        "arousal.sagr": arousal.sagr,
    }
    for name, value in figures.items():
        assert bounds[name][0] <= value <= bounds[name][1], name


def test_what_is_not_there_has_none() -> None:
    unknown = np.full((20, 2), np.nan)
    bounds = intervals(np.zeros(20, int), np.eye(8)[np.zeros(20, int)], unknown, unknown)
    assert bounds["accuracy"] == (1, 1)
    assert "sensitivity.happy" not in bounds
    assert "valence.rmse" not in bounds
