import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from fer_edge.evaluation import metrics


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


def test_the_figures_of_a_class_agree_with_scikit_learn(labels) -> None:
    truth, predicted = labels
    figures = metrics.class_figures(metrics.confusion(truth, predicted))
    precision, recall, _, support = reference.precision_recall_fscore_support(truth, predicted)
    np.testing.assert_array_equal([one.samples for one in figures], support)
    np.testing.assert_allclose([one.sensitivity for one in figures], recall)
    np.testing.assert_allclose([one.miss_rate for one in figures], 1 - recall)
    np.testing.assert_allclose([one.precision for one in figures], precision)
    np.testing.assert_allclose([one.false_discovery_rate for one in figures], 1 - precision)


def test_a_class_that_was_never_said_has_no_precision() -> None:
    never = metrics.class_figures(metrics.confusion(np.array([0, 1]), np.array([0, 0])))[1]
    assert (never.samples, never.sensitivity, never.miss_rate) == (1, 0, 1)
    assert np.isnan(never.precision)
    assert np.isnan(never.false_discovery_rate)


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


def test_bins_of_confidence_agree_with_scikit_learn(labels) -> None:
    truth, _ = labels
    rng = np.random.default_rng(6)
    logits = rng.normal(0, 1, (len(truth), 8)) + 2 * np.eye(8)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    bins = metrics.reliability(truth, probabilities)
    right = probabilities.argmax(1) == truth
    share, claim = calibration_curve(right, probabilities.max(1), n_bins=metrics.BINS)
    filled = bins.samples > 0
    np.testing.assert_allclose(bins.accuracy[filled], share)
    np.testing.assert_allclose(bins.confidence[filled], claim)
    assert bins.error == pytest.approx(
        np.average(np.abs(share - claim), weights=bins.samples[filled])
    )


def test_unknown_valence_and_arousal_are_left_out(planes) -> None:
    truth, said = planes
    half = truth.copy()
    half[1500:] = np.nan
    assert metrics.axis_figures(half, said, 1) == metrics.axis_figures(truth[:1500], said[:1500], 1)
    assert metrics.axis_figures(np.full_like(truth, np.nan), said, 1) is None


def test_values_that_are_all_the_same_go_together_with_nothing() -> None:
    assert metrics.ccc(np.full(3, 0.5), np.full(3, 0.5)) == 0
