import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")
pytestmark = [
    pytest.mark.train,
    # Keras, not this code, lags behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

from fer_edge.training.network import EMOTION, build  # noqa: E402  needs what is checked above
from fer_edge.training.operating_point import LEAST, choose, move, prior_of  # noqa: E402

PRIOR = np.array([0.4, 0.3, 0.1, 0.1, 0.04, 0.02, 0.03, 0.01])


def said(bias: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Labels by the prior, and a noisy opinion that leans by ``bias`` towards what is frequent."""
    rng = np.random.default_rng(0)
    labels = rng.choice(8, count, p=PRIOR)
    logits = 2 * np.eye(8)[labels] + rng.normal(0, 0.7, (count, 8)) + bias * np.log(PRIOR)
    shares = np.exp(logits)
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32), labels


def test_a_leaning_network_is_set_upright() -> None:
    upright, score = choose(*said(0.0), PRIOR)
    for lean in (-0.3, 0.3):
        bias, same = choose(*said(lean), PRIOR)
        # A step of the share more or less is .23 for the rarest class.
        np.testing.assert_allclose(bias + lean * np.log(PRIOR), upright, atol=0.25)
        assert same == pytest.approx(score, abs=0.02)


def test_a_class_that_is_hardly_said_is_raised_alone() -> None:
    probabilities, labels = said(0.0)
    bias, _ = choose(probabilities, labels, PRIOR)
    probabilities[:, 7] *= 0.05
    assert (probabilities.argmax(1) == 7)[labels == 7].mean() < LEAST
    raised, _ = choose(probabilities, labels, PRIOR)
    np.testing.assert_allclose(raised[:7], bias[:7], atol=0.25)
    assert raised[7] > bias[7] + 0.5
    found = (probabilities * np.exp(raised)).argmax(1) == 7
    assert found[labels == 7].mean() >= LEAST


def test_a_class_that_nothing_tells_from_others_is_not_raised_at_their_cost() -> None:
    probabilities, labels = said(0.0)
    probabilities[:, 7] = np.random.default_rng(1).permutation(probabilities[:, 7]) * 0.05
    bias, score = choose(probabilities, labels, PRIOR)
    told = (probabilities * np.exp(bias)).argmax(1)
    assert (told == 7).mean() < 0.05
    assert (told == labels).mean() > 0.9 * (labels != 7).mean()
    assert score < 1.9


def test_a_moved_network_says_what_the_bias_promised() -> None:
    network = build(0.25, size=32)
    pictures = np.random.default_rng(0).uniform(-1, 1, (16, 32, 32, 1)).astype(np.float32)
    before = network.predict(pictures, verbose=0)[EMOTION]
    bias = np.linspace(-1, 1, 8)
    move(network, bias)
    after = network.predict(pictures, verbose=0)[EMOTION]
    wanted = before * np.exp(bias)
    np.testing.assert_allclose(after, wanted / wanted.sum(1, keepdims=True), rtol=1e-4)


def test_classes_without_pictures_are_no_obstacle() -> None:
    labels = np.array([0, 0, 0, 1])
    prior = prior_of(labels)
    np.testing.assert_allclose(prior, [0.75, 0.25, 0, 0, 0, 0, 0, 0])
    bias, score = choose(np.full((4, 8), 1 / 8, np.float32), labels, prior)
    assert np.isfinite(bias).all()
    assert 0 < score < 2
