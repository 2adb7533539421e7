import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from fer_edge.training import metrics


@pytest.fixture
def labels() -> tuple[np.ndarray, np.ndarray]:
    """Truth with rare classes, and a prediction that is right about two times in three."""
    rng = np.random.default_rng(3)
    truth = rng.choice(8, 2000, p=[0.35, 0.3, 0.1, 0.1, 0.05, 0.04, 0.04, 0.02])
    predicted = np.where(rng.random(2000) < 0.6, truth, rng.integers(0, 8, 2000))
    return truth, predicted


@pytest.fixture
def planes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    truth = rng.uniform(-0.8, 0.8, (3000, 2))
    return truth, (truth * 0.7 + rng.normal(0.05, 0.2, truth.shape)).clip(-1, 1)


def test_the_confusion_matrix_and_its_figures_agree_with_scikit_learn(labels) -> None:
    truth, predicted = labels
    table = metrics.confusion(truth, predicted)
    np.testing.assert_array_equal(table, reference.confusion_matrix(truth, predicted))
    assert metrics.accuracy(table) == pytest.approx(reference.accuracy_score(truth, predicted))
    assert metrics.macro_f1(table) == pytest.approx(
        reference.f1_score(truth, predicted, average="macro")
    )
    assert metrics.balanced_accuracy(table) == pytest.approx(
        reference.balanced_accuracy_score(truth, predicted)
    )
    np.testing.assert_allclose(
        metrics.sensitivities(table), reference.recall_score(truth, predicted, average=None)
    )


def test_a_class_without_samples_has_no_sensitivity() -> None:
    table = metrics.confusion(np.array([0, 0, 1]), np.array([0, 1, 1]))
    found = metrics.sensitivities(table)
    np.testing.assert_allclose(found[:2], [0.5, 1])
    assert np.isnan(found[2:]).all()
    assert metrics.balanced_accuracy(table) == pytest.approx(0.75)


def test_balanced_draws_tend_to_the_mean_sensitivity(labels) -> None:
    truth, predicted = labels
    drawn = metrics.normalised(truth, predicted)
    balanced = metrics.balanced_accuracy(metrics.confusion(truth, predicted))
    assert drawn.accuracy == pytest.approx(balanced, abs=0.01)
    assert drawn == metrics.normalised(truth, predicted)
    assert 0 < drawn.f1 <= 1


def test_a_perfect_prediction_is_perfect() -> None:
    truth = np.arange(80) % 8
    drawn = metrics.normalised(truth, truth)
    assert drawn.accuracy == 1
    assert drawn.f1 == 1


def test_intervals_hold_the_figure(labels) -> None:
    truth, predicted = labels
    table = metrics.confusion(truth, predicted)
    low, high = metrics.intervals(truth, predicted)["accuracy"]
    assert low < metrics.accuracy(table) < high
    # The normal approximation of a share's interval.
    share = metrics.accuracy(table)
    half = 1.96 * (share * (1 - share) / len(truth)) ** 0.5
    assert high - low == pytest.approx(2 * half, rel=0.15)


def test_valence_and_arousal_figures_agree_with_scikit_learn_and_scipy(planes) -> None:
    truth, said = planes
    figures = metrics.axis_figures(truth, said, 0)
    x, y = truth[:, 0], said[:, 0]
    assert figures.rmse == pytest.approx(reference.mean_squared_error(x, y) ** 0.5)
    assert figures.sagr == pytest.approx(reference.accuracy_score(x > 0, y > 0))
    rho = stats.pearsonr(x, y).statistic
    by_hand = 2 * rho * x.std() * y.std() / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert figures.ccc == pytest.approx(by_hand)


def test_normalised_rmse_is_a_mean_over_regions(planes) -> None:
    truth, said = planes
    edges = np.linspace(-1, 1, metrics.REGIONS + 1)
    squares, *_ = stats.binned_statistic_2d(
        truth[:, 0], truth[:, 1], (said[:, 1] - truth[:, 1]) ** 2, "mean", [edges, edges]
    )
    expected = np.nanmean(np.sqrt(squares))
    assert metrics.normalised_rmse(truth, truth[:, 1], said[:, 1]) == pytest.approx(expected)


def test_a_calibrated_forecast_has_little_calibration_error() -> None:
    rng = np.random.default_rng(5)
    confidence = rng.uniform(0.5, 1, 20000)
    probabilities = np.zeros((20000, 8))
    probabilities[:, 0], probabilities[:, 1] = confidence, 1 - confidence
    truth = (rng.random(20000) > confidence).astype(np.int64)
    assert metrics.calibration_error(truth, probabilities) < 0.02
    assert metrics.calibration_error(np.ones_like(truth), probabilities) > 0.5
