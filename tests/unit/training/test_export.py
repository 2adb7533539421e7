"""The network that is converted puts out, layer by layer, what the trained one puts out."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from keras_maps import keras_maps, keras_outputs  # noqa: E402
from networks import used_weights  # noqa: E402

from fer_edge.training.export import apart  # noqa: E402  only where it is installed
from fer_edge.training.network import HEADS, fold, forward, steps, tensors  # noqa: E402


def inputs(size: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (4, size, size, channels)).astype(np.float32)


@pytest.mark.parametrize("size", [33, 64, 112])
def test_every_convolution_puts_out_the_same(size) -> None:
    weights = fold(used_weights(0.25))
    theirs = apart(keras_maps, weights, inputs(size))
    with torch.no_grad():
        ours = list(steps(tensors(weights), torch.tensor(inputs(size))))
    assert len(ours) == len(theirs) == 27
    for (name, _, maps), wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(maps, wanted, atol=2e-4, err_msg=name)


@pytest.mark.parametrize(("alpha", "channels"), [(0.25, 1), (0.35, 3), (1.4, 1)])
def test_both_heads_say_what_the_network_says_before_it_is_folded(alpha, channels) -> None:
    weights = used_weights(alpha, channels)
    theirs = apart(keras_outputs, fold(weights), inputs(32, channels))
    with torch.no_grad():
        logits, plane = forward(tensors(weights), torch.tensor(inputs(32, channels)))
    for name, ours in zip(HEADS, (logits.softmax(1), plane), strict=True):
        np.testing.assert_allclose(ours, theirs[name], atol=1e-4)
