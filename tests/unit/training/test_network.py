import dataclasses
import json

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")
pytestmark = [
    pytest.mark.train,
    # Keras and TensorFlow, not this code, lag behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

import keras  # noqa: E402  only where it is installed

from fer_edge.errors import ConfigError  # noqa: E402
from fer_edge.training.correct import correct  # noqa: E402
from fer_edge.training.equalise import FULL, equalise  # noqa: E402
from fer_edge.training.export import deployable  # noqa: E402
from fer_edge.training.folded import fold, load_weights  # noqa: E402
from fer_edge.training.losses import adjusted_cross_entropy, plane_loss  # noqa: E402
from fer_edge.training.narrow import least_squares, start_from, strongest  # noqa: E402
from fer_edge.training.network import build, convolutions, outputs, teacher, width  # noqa: E402
from fer_edge.training.options import Config  # noqa: E402
from fer_edge.training.rounding import rounded, step_of  # noqa: E402


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


def used(alpha: float, channels: int = 1) -> keras.Model:
    """A network whose normalisations are those of no new one."""
    keras.utils.set_random_seed(7)
    model = build(alpha, size=32, channels=channels)
    rng = np.random.default_rng(7)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def agreement(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """The least correlation of the outputs of two networks."""
    return min(np.corrcoef(one[name].ravel(), other[name].ravel())[0, 1] for name in one)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (64, 32, 32, 1)).astype("float32")


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    return used(0.35)


@pytest.mark.parametrize("alpha", [0.35, 0.5])
def test_a_network_at_least_as_wide_says_what_the_trained_one_says(
    alpha, trained, pictures
) -> None:
    wide = build(alpha, size=32)
    start_from(wide, fold(trained), pictures)
    said = agreement(trained.predict(pictures, verbose=0), wide.predict(pictures, verbose=0))
    assert said > (0.9999 if alpha == 0.35 else 0.97)


def test_a_trained_network_is_a_teacher_at_any_width(trained, pictures) -> None:
    weights = fold(trained)
    logits = teacher(weights, size=32).predict(pictures, verbose=0)
    said = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(said, trained.predict(pictures, verbose=0)["emotion"], atol=1e-3)


@pytest.mark.parametrize("alpha", [0.25, 0.35, 0.5, 0.75, 1.0, 1.4])
def test_folded_weights_know_how_wide_they_are(alpha) -> None:
    model = build(alpha, size=32)
    channels = {
        name: model.get_layer(name).filters for name in ("conv1", "conv_pw_4", "conv_pw_13")
    }
    last = {"conv_pw_13/bias": np.zeros(channels["conv_pw_13"])}
    again = build(width(last), size=32)
    assert channels == {name: again.get_layer(name).filters for name in channels}


def test_a_run_and_published_weights_are_read_for_as_many_channels_as_are_wanted(
    trained, pictures, tmp_path
) -> None:
    config = Config(dataset="", out="", alpha=0.35, size=32)
    (tmp_path / "config.json").write_text(json.dumps(dataclasses.asdict(config)))
    trained.save_weights(tmp_path / "best.weights.h5")
    coloured = teacher(load_weights(str(tmp_path), channels=3), size=32)
    plain = teacher(fold(trained), size=32)
    np.testing.assert_allclose(
        coloured.predict(np.repeat(pictures, 3, axis=3), verbose=0),
        plain.predict(pictures, verbose=0),
        atol=1e-3,
    )


def test_weights_that_saw_blue_green_red_less_its_mean_see_luma(tmp_path) -> None:
    kernel = np.random.default_rng(0).normal(0, 0.1, (3, 3, 3, 8)).astype("float32")
    np.savez(tmp_path / "faces.npz", **{"conv1/kernel": kernel, "conv1/bias": np.ones(8)})
    weights = load_weights(str(tmp_path / "faces.npz"))
    luma = np.random.default_rng(1).uniform(0, 255, (3, 3)).astype("float32")
    before = np.repeat(luma[..., None], 3, 2) - np.array([103.939, 116.779, 123.68])
    wanted = np.einsum("hwi,hwio->o", before, kernel) + 1
    given = np.einsum("hw,hwo->o", luma / 127.5 - 1, weights["conv1/kernel"][:, :, 0])
    np.testing.assert_allclose(given + weights["conv1/bias"], wanted, rtol=1e-3)


def test_weights_without_an_emotion_head_start_all_layers_before_it(pictures) -> None:
    weights = {k: v for k, v in fold(used(0.35)).items() if not k.startswith(("emotion", "val"))}
    narrow = build(0.25, size=32)
    head = narrow.get_layer("emotion").get_weights()
    start_from(narrow, weights, pictures)
    np.testing.assert_array_equal(narrow.get_layer("emotion").get_weights()[0], head[0])


def test_weights_that_are_not_there_are_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.npz: no such weights; name"):
        load_weights("nowhere.npz")


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


def test_rounded_kernels_leave_every_channel_its_mean(pictures) -> None:
    model = deployable(used(0.25))
    layers = ["conv1_bn", "conv_dw_2_bn", "conv_pw_3_bn"]
    parts = [keras.Model(model.input, model.get_layer(name).output) for name in layers]
    before = [outputs(part, pictures) for part in parts]
    said = model.predict(pictures, verbose=0)
    kernel = model.get_layer("conv_pw_13").get_weights()[0]
    correct(model, pictures)
    for part, maps in zip(parts, before, strict=True):
        after = outputs(part, pictures)
        assert np.abs(after - maps).max() > 1e-4
        np.testing.assert_allclose(
            after.mean((0, 1, 2), float), maps.mean((0, 1, 2), float), atol=1e-5
        )
    made = model.get_layer("conv_pw_13").get_weights()[0]
    np.testing.assert_allclose(rounded(made), made, atol=1e-7)
    assert np.abs(made - kernel).max() < 5 * step_of(kernel).max()
    assert agreement(said, model.predict(pictures, verbose=0)) > 0.99


def test_logit_adjustment_asks_more_of_rare_classes() -> None:
    prior = np.array([0.9, 0.1], np.float32)
    said = np.array([[0.5, 0.5]], np.float32)
    common, rare = np.array([[1, 0]], np.float32), np.array([[0, 1]], np.float32)
    plain, adjusted = adjusted_cross_entropy(prior, 0.0), adjusted_cross_entropy(prior, 1.0)
    assert float(plain(rare, said)[0]) == pytest.approx(float(np.log(2)), rel=1e-4)
    assert float(adjusted(rare, said)[0]) == pytest.approx(-float(np.log(0.1)), rel=1e-4)
    assert float(adjusted(common, said)[0]) == pytest.approx(-float(np.log(0.9)), rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mse", [0.125, 0, 0.25]),
        ("mae", [0.25, 0, 0.5]),
        ("l2", [0.5, 0, 0.5**0.5]),
        # Of (v + 1) / 2 = 0.75 told as 0.5: log 2, whatever is right.
        ("cross-entropy", [np.log(2) / 2, 0, np.log(2)]),
    ],
)
def test_unknown_valence_counts_nothing(kind, expected) -> None:
    truth = np.array([[np.nan, 0.5], [np.nan, np.nan], [0.5, -0.5]], np.float32)
    error = np.array(plane_loss(kind)(truth, np.zeros((3, 2), np.float32)))
    np.testing.assert_allclose(error, expected, atol=2e-4)
