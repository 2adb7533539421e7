"""The network, its weights in files, and starting one width from another."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from networks import agreement, said, used_weights  # noqa: E402

from fer_edge.errors import ConfigError  # noqa: E402  only where it is installed
from fer_edge.training.losses import logit_shift, plane_loss  # noqa: E402
from fer_edge.training.narrow import least_squares, start_from, strongest  # noqa: E402
from fer_edge.training.network import (  # noqa: E402
    channels_of,
    fold,
    forward,
    random_weights,
    tensors,
    width,
)
from fer_edge.training.options import Config  # noqa: E402
from fer_edge.training.weights import BEST, load_weights  # noqa: E402


@pytest.mark.parametrize(
    ("alpha", "thousands"),
    [(0.25, 222), (0.35, 419), (0.5, 836), (0.75, 1843), (1.0, 3243), (1.4, 6288)],
)
def test_parameter_counts_are_those_of_the_thesis(alpha: float, thousands: int) -> None:
    weights = random_weights(alpha, 3, np.random.default_rng(0))
    counted = sum(array.size for array in weights.values())
    # Its table 4.10 cuts after the third place of a million.
    assert counted // 1000 == thousands
    exact = {0.25: 222_138, 1.4: 6_288_163}
    assert counted == exact.get(alpha, counted)
    assert channels_of(width(weights)) == channels_of(alpha)


def test_folding_normalisation_changes_nothing(trained, pictures) -> None:
    for before, after in zip(said(trained, pictures), said(fold(trained), pictures), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-4)


def test_training_moves_a_copy_of_the_weights(trained, pictures) -> None:
    before = {name: array.copy() for name, array in trained.items()}
    state = tensors(trained)
    forward(state, torch.tensor(pictures), training=True)
    moved = [name for name, array in before.items() if (state[name].numpy() != array).any()]
    assert moved == [name for name in before if "moving" in name]
    for name, array in before.items():
        np.testing.assert_array_equal(trained[name], array)


@pytest.mark.parametrize("alpha", [0.35, 0.5])
def test_a_network_at_least_as_wide_says_what_the_trained_one_says(
    alpha, trained, pictures
) -> None:
    plain = random_weights(alpha, 1, np.random.default_rng(0))
    wide = start_from(plain, fold(trained), pictures)
    assert wide.keys() == plain.keys()
    assert all(wide[name].shape == array.shape for name, array in plain.items())
    assert all(array.dtype == np.float32 for array in wide.values())
    assert agreement(trained, wide, pictures) > (0.9999 if alpha == 0.35 else 0.97)


def test_a_narrower_network_says_much_of_what_the_trained_one_says(trained, pictures) -> None:
    plain = random_weights(0.25, 1, np.random.default_rng(0))
    narrow = start_from(plain, fold(trained), pictures)
    assert all(narrow[name].shape == array.shape for name, array in plain.items())
    assert agreement(trained, narrow, pictures) > 0.5


def test_normalisation_starts_with_the_statistics_of_the_pictures(trained, pictures) -> None:
    started = start_from(random_weights(0.35, 1, np.random.default_rng(0)), fold(trained), pictures)
    state = tensors(started)
    with torch.no_grad():
        by_statistics, _ = forward(state, torch.tensor(pictures))
        by_batch, _ = forward(state, torch.tensor(pictures), training=True)
    torch.testing.assert_close(by_batch, by_statistics, atol=0.02, rtol=0.02)


def test_weights_without_heads_leave_those_at_random(pictures) -> None:
    weights = fold(used_weights(0.35))
    headless = {k: v for k, v in weights.items() if not k.startswith(("emotion", "val"))}
    for alpha in (0.25, 0.35):
        plain = random_weights(alpha, 1, np.random.default_rng(0))
        started = start_from(plain, headless, pictures)
        np.testing.assert_array_equal(started["emotion/kernel"], plain["emotion/kernel"])
        assert (started["conv1/kernel"] != plain["conv1/kernel"]).any()


def test_a_run_is_read_for_as_many_channels_as_are_wanted(trained, pictures, tmp_path) -> None:
    config = Config(dataset="", out="", alpha=0.35, size=32)
    (tmp_path / "config.json").write_text(json.dumps(dataclasses.asdict(config)))
    np.savez(tmp_path / BEST, **trained)
    coloured = load_weights(str(tmp_path), channels=3)
    wanted = said(fold(trained), pictures)
    for one, other in zip(said(coloured, np.repeat(pictures, 3, axis=3)), wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_weights_that_saw_blue_green_red_less_its_mean_see_luma(tmp_path) -> None:
    kernel = np.random.default_rng(0).normal(0, 0.1, (3, 3, 3, 8)).astype("float32")
    np.savez(
        tmp_path / "faces.npz",
        **{"conv1/kernel": kernel, "conv1/bias": np.ones(8), "conv_dw_1/depthwise_kernel": kernel},
    )
    weights = load_weights(str(tmp_path / "faces.npz"))
    assert "conv_dw_1/kernel" in weights
    luma = np.random.default_rng(1).uniform(0, 255, (3, 3)).astype("float32")
    before = np.repeat(luma[..., None], 3, 2) - np.array([103.939, 116.779, 123.68])
    wanted = np.einsum("hwi,hwio->o", before, kernel) + 1
    given = np.einsum("hw,hwo->o", luma / 127.5 - 1, weights["conv1/kernel"][:, :, 0])
    np.testing.assert_allclose(given + weights["conv1/bias"], wanted, rtol=1e-3)


def test_weights_that_are_not_there_or_are_others_are_named(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.npz: no such weights; name"):
        load_weights("nowhere.npz")
    np.savez(tmp_path / "other.npz", fc=np.ones(3))
    with pytest.raises(ConfigError, match=r"other\.npz: no conv1/kernel in it; name"):
        load_weights(str(tmp_path / "other.npz"))
    config = Config(dataset="", out="", size=32)
    (tmp_path / "config.json").write_text(json.dumps(dataclasses.asdict(config)))
    with pytest.raises(ConfigError, match=r"best\.npz: No such file.*; train until"):
        load_weights(str(tmp_path))


def test_the_strongest_channels_tell_the_others() -> None:
    rng = np.random.default_rng(2)
    independent = rng.normal(size=(500, 3))
    copies = independent @ rng.normal(size=(3, 2)) * 0.1
    activations = np.concatenate([copies, independent], 1).astype("float32")
    kept = strongest(activations, np.ones(5, "float32"), 3)
    np.testing.assert_array_equal(kept, [2, 3, 4])
    kernel, bias = least_squares(activations[:, kept], activations)
    np.testing.assert_allclose(activations[:, kept] @ kernel + bias, activations, atol=0.01)


def test_logit_adjustment_asks_more_of_rare_classes() -> None:
    prior = np.array([0.9, 0.1, 0], np.float32)
    np.testing.assert_array_equal(logit_shift(prior, 0.0), 0)
    scores = torch.tensor(logit_shift(prior, 1.0)).log_softmax(0).numpy()
    np.testing.assert_allclose(scores[:2], np.log([0.9, 0.1]), rtol=1e-4)
    assert np.isfinite(scores).all()


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
    truth = torch.tensor([[np.nan, 0.5], [np.nan, np.nan], [0.5, -0.5]])
    predicted = torch.zeros((3, 2), requires_grad=True)
    error = plane_loss(kind, truth, predicted)
    np.testing.assert_allclose(error.detach(), expected, atol=2e-4)
    error.sum().backward()
    assert predicted.grad.isfinite().all()
    assert (predicted.grad[truth.isnan()] == 0).all()
