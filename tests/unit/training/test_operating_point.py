import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")
pytestmark = [
    pytest.mark.train,
    # Keras, not this code, lags behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

from fer_edge.training.network import EMOTION, build  # noqa: E402  needs what is checked above
from fer_edge.training.operating_point import SHIFTS, choose, move, prior_of  # noqa: E402

PRIOR = np.array([0.4, 0.3, 0.1, 0.1, 0.04, 0.02, 0.03, 0.01])


def said(bias: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Labels by the prior, and a noisy opinion that leans by ``bias`` towards what is frequent."""
    rng = np.random.default_rng(0)
    labels = rng.choice(8, count, p=PRIOR)
    logits = 2 * np.eye(8)[labels] + rng.normal(0, 0.7, (count, 8)) + bias * np.log(PRIOR)
    shares = np.exp(logits)
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32), labels


def test_a_leaning_network_is_shifted_back() -> None:
    upright = choose(*said(0.0), PRIOR)[0]
    for bias in (-0.3, 0.3):
        shift, score = choose(*said(bias), PRIOR)
        assert shift == pytest.approx(upright + bias, abs=0.051)
        assert score > 1.5
    assert {upright} <= set(SHIFTS.tolist())


def test_a_moved_network_says_what_the_shift_promised() -> None:
    network = build(0.25, size=32)
    pictures = np.random.default_rng(0).uniform(-1, 1, (16, 32, 32, 1)).astype(np.float32)
    before = network.predict(pictures, verbose=0)[EMOTION]
    move(network, 0.4, PRIOR)
    after = network.predict(pictures, verbose=0)[EMOTION]
    wanted = before * PRIOR**-0.4
    np.testing.assert_allclose(after, wanted / wanted.sum(1, keepdims=True), rtol=1e-4)


def test_a_class_without_pictures_shifts_by_a_finite_number() -> None:
    prior = prior_of(np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(prior, [0.75, 0.25, 0, 0, 0, 0, 0, 0])
    network = build(0.25, size=32)
    move(network, 1.0, prior)
    assert np.isfinite(network.get_layer(EMOTION).get_weights()[1]).all()
