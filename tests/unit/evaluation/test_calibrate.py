import numpy as np
import pytest

from fer_edge.evaluation.calibrate import fit_temperature, scaled


def test_the_temperature_that_was_put_in_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (20000, 8))
    honest = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (honest.cumsum(1) < rng.random((20000, 1))).sum(1)
    too_sure = scaled(honest.astype(np.float32), 1 / 1.7)
    assert fit_temperature(too_sure.astype(np.float32), labels) == pytest.approx(1.7, abs=0.08)


def test_scaling_keeps_order_and_sums_to_one() -> None:
    given = np.array([[0.9, 0.1, 0, 0, 0, 0, 0, 0]], np.float32)
    softer = scaled(given, 2.0)
    assert softer.sum() == pytest.approx(1)
    assert 0.1 < softer[0, 1] < softer[0, 0] < 0.9
