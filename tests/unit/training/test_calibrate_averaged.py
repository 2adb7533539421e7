import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from fer_edge.evaluation.calibrate import scaled  # noqa: E402  needs what is checked above
from fer_edge.evaluation.metrics import calibration_error  # noqa: E402
from fer_edge.training.calibrate import faultless_error, in_folds, log_loss  # noqa: E402


@pytest.fixture(scope="module")
def honest():
    """Probabilities [6000, 8] and labels that were drawn by them."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (6000, 8))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (probabilities.cumsum(1)[:, :-1] < rng.random((6000, 1))).sum(1)
    return probabilities, labels


def test_what_is_not_sure_enough_is_found_out_in_folds(honest) -> None:
    probabilities, labels = honest
    modest = scaled(probabilities.astype(np.float32), 1.5)
    righted = in_folds(modest, labels)
    assert log_loss(righted, labels) < log_loss(modest, labels) - 0.02
    assert calibration_error(labels, righted) < 0.03 < calibration_error(labels, modest)


def test_faultless_probabilities_have_an_error_too(honest) -> None:
    probabilities, labels = honest
    few, many = faultless_error(probabilities[:500]), faultless_error(probabilities)
    assert 0 < many < few
    assert calibration_error(labels, probabilities) == pytest.approx(many, abs=0.006)
