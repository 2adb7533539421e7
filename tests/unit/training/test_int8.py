"""What is done to weights before int8 takes them."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from networks import agreement, said, used_weights  # noqa: E402

from fer_edge.training.correct import corrected  # noqa: E402  only where it is installed
from fer_edge.training.equalise import FULL, equalised  # noqa: E402
from fer_edge.training.network import Weights, fold, random_weights, steps, tensors  # noqa: E402
from fer_edge.training.rounding import rounded, step_of  # noqa: E402


def maps_of(weights: Weights, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """What every convolution puts out, after ReLU6."""
    with torch.no_grad():
        return {
            name: maps.numpy() for name, _, maps in steps(tensors(weights), torch.tensor(pictures))
        }


def test_equalised_channels_fill_their_range_and_say_the_same(pictures) -> None:
    weights = fold(random_weights(0.25, 1, np.random.default_rng(4)))
    made = equalised(weights, pictures)
    for before, after in zip(said(weights, pictures), said(made, pictures), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-4)
    peaks = maps_of(made, pictures)["conv1"].max((0, 1, 2))
    np.testing.assert_allclose(peaks[peaks > 0], FULL, rtol=0.01)


def test_rounded_kernels_leave_every_channel_its_mean(pictures) -> None:
    weights = fold(used_weights(0.25))
    made = corrected(weights, pictures)
    before, after = maps_of(weights, pictures), maps_of(made, pictures)
    for name in ("conv1", "conv_dw_2"):
        assert np.abs(after[name] - before[name]).max() > 1e-4
    # Nothing is cut by ReLU6 before or behind it in the first layer, so its means are exact.
    plain = np.abs(after["conv1"].mean((0, 1, 2), float) - before["conv1"].mean((0, 1, 2), float))
    assert plain.max() < 2e-3
    for name in after:
        kernel = made[f"{name}/kernel"]
        by_channel = kernel[..., 0] if name.startswith("conv_dw") else kernel
        np.testing.assert_allclose(rounded(by_channel), by_channel, atol=1e-6)
    moved = np.abs(made["conv_pw_13/kernel"] - weights["conv_pw_13/kernel"]).max()
    assert 0 < moved < 5 * step_of(weights["conv_pw_13/kernel"]).max()
    assert agreement(weights, made, pictures) > 0.99
