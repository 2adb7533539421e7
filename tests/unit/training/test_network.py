import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")
pytestmark = [
    pytest.mark.train,
    # Keras and TensorFlow, not this code, lag behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

import keras  # noqa: E402  only where it is installed

from fer_edge.training.equalise import FULL, equalise  # noqa: E402
from fer_edge.training.export import deployable  # noqa: E402
from fer_edge.training.losses import adjusted_cross_entropy, known_squares  # noqa: E402
from fer_edge.training.narrow import least_squares, start_from, strongest  # noqa: E402
from fer_edge.training.network import build, convolutions, teacher  # noqa: E402


@pytest.mark.parametrize(
    ("alpha", "thousands"),
    [(0.25, 222), (0.35, 419), (0.5, 836), (0.75, 1843), (1.0, 3243), (1.4, 6288)],
)
def test_parameter_counts_are_those_of_the_thesis(alpha: float, thousands: int) -> None:
    counted = build(alpha, size=224, channels=3).count_params()
    # Its table 4.10 cuts after the third place of a million.
    assert counted // 1000 == thousands
    exact = {0.25: 222_138, 1.4: 6_288_163}
    assert counted == exact.get(alpha, counted)


def folded_weights(model: keras.Model) -> dict[str, np.ndarray]:
    """Weights of a folded file, at random, for a network 1.0 wide."""
    rng = np.random.default_rng(0)
    weights = {}
    for name, kernel in convolutions():
        (shape,) = [w.shape for w in model.get_layer(name).get_weights()]
        fan_in = np.prod(shape[:2]) * (1 if "dw" in name else shape[2])
        weights[f"{name}/{kernel}"] = rng.normal(0, (2 / fan_in) ** 0.5, shape).astype("float32")
        size = shape[2] if "dw" in name else shape[3]
        weights[f"{name}/bias"] = rng.normal(0.1, 0.1, size).astype("float32")
    weights["emotion/kernel"] = rng.normal(0, 0.1, (1024, 8)).astype("float32")
    weights["emotion/bias"] = np.zeros(8, "float32")
    return weights


def test_a_network_as_wide_as_the_weights_says_the_same() -> None:
    wide = build(1.0, size=32)
    weights = folded_weights(wide)
    pictures = np.random.default_rng(1).uniform(-1, 1, (64, 32, 32, 1)).astype("float32")
    start_from(wide, weights, pictures)
    logits = teacher(weights, size=32).predict(pictures, verbose=0)
    said = wide.predict(pictures, verbose=0)["emotion"]
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    # The head is fitted with a ridge; the layers before it are the same functions.
    assert np.corrcoef(said.ravel(), expected.ravel())[0, 1] > 0.9


def test_a_network_wider_than_the_weights_cannot_start_from_them() -> None:
    weights = folded_weights(build(1.0, size=32))
    with pytest.raises(ValueError, match="smaller alpha"):
        start_from(build(1.4, size=32), weights, np.zeros((2, 32, 32, 1), "float32"))


def test_the_strongest_channels_tell_the_others() -> None:
    rng = np.random.default_rng(2)
    independent = rng.normal(size=(500, 3))
    copies = independent @ rng.normal(size=(3, 2)) * 0.1
    activations = np.concatenate([copies, independent], 1).astype("float32")
    kept = strongest(activations, np.ones(5, "float32"), 3)
    np.testing.assert_array_equal(kept, [2, 3, 4])
    kernel, bias = least_squares(activations[:, kept], activations)
    np.testing.assert_allclose(activations[:, kept] @ kernel + bias, activations, atol=0.01)


def test_folding_the_last_normalisation_changes_nothing() -> None:
    model = build(0.25, size=32)
    rng = np.random.default_rng(3)
    for name in ("top_bn", "conv_pw_13_bn"):
        layer = model.get_layer(name)
        layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    pictures = rng.uniform(-1, 1, (4, 32, 32, 1)).astype("float32")
    before, after = (
        model.predict(pictures, verbose=0),
        deployable(model).predict(pictures, verbose=0),
    )
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, atol=1e-5)


def test_equalised_channels_fill_their_range_and_say_the_same() -> None:
    model = deployable(build(0.25, size=32))
    pictures = np.random.default_rng(4).uniform(-1, 1, (64, 32, 32, 1)).astype("float32")
    before = model.predict(pictures, verbose=0)
    equalise(model, pictures)
    after = model.predict(pictures, verbose=0)
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, atol=1e-4)
    first = keras.Model(model.input, model.get_layer("conv1_relu").output)
    peaks = first.predict(pictures, verbose=0).max((0, 1, 2))
    np.testing.assert_allclose(peaks[peaks > 0], FULL, rtol=0.01)


def test_logit_adjustment_asks_more_of_rare_classes() -> None:
    prior = np.array([0.9, 0.1], np.float32)
    said = np.array([[0.5, 0.5]], np.float32)
    common, rare = np.array([[1, 0]], np.float32), np.array([[0, 1]], np.float32)
    plain, adjusted = adjusted_cross_entropy(prior, 0.0), adjusted_cross_entropy(prior, 1.0)
    assert float(plain(rare, said)[0]) == pytest.approx(float(np.log(2)), rel=1e-4)
    assert float(adjusted(rare, said)[0]) == pytest.approx(-float(np.log(0.1)), rel=1e-4)
    assert float(adjusted(common, said)[0]) == pytest.approx(-float(np.log(0.9)), rel=1e-4)


def test_unknown_valence_counts_nothing() -> None:
    truth = np.array([[np.nan, 0.5], [np.nan, np.nan]], np.float32)
    error = np.array(known_squares(truth, np.zeros((2, 2), np.float32)))
    np.testing.assert_allclose(error, [0.125, 0])
