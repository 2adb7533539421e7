"""The network as functions of tensors says what Keras' network says."""

import keras
import numpy as np
import pytest
import torch

from fer_edge.training.folded import fold
from fer_edge.training.network import EMOTION, VALENCE_AROUSAL, build
from fer_edge.training.torch_network import Teacher, arrays_of, forward, state_of

pytestmark = [
    pytest.mark.train,
    # Keras, not this code, lags behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(params=[33, 64, 112])
def network(request):
    """Weights that are none of them at their first value."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    model = build(0.25, size=request.param, dropout=0)
    model.set_weights([w + rng.uniform(0, 0.1, w.shape) for w in model.get_weights()])
    return model


def pictures(network, count=4):
    rng = np.random.default_rng(1)
    return torch.tensor(rng.uniform(-1, 1, (count, *network.input_shape[1:])).astype(np.float32))


@pytest.mark.parametrize("training", [False, True])
def test_it_says_what_keras_network_says(network, training) -> None:
    state = state_of(network, "cpu")
    with torch.no_grad():
        logits, plane = forward(state, pictures(network), training=training)
        wanted = network(pictures(network), training=training)
    torch.testing.assert_close(logits.softmax(1), wanted[EMOTION], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(plane, wanted[VALENCE_AROUSAL], atol=1e-5, rtol=1e-4)
    for path, ours, theirs in zip(state, arrays_of(state), network.get_weights(), strict=True):
        # PyTorch's moving variance is the unbiased one.
        tolerance = 0.3 if path.endswith("variance") else 1e-4
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=tolerance, err_msg=path)


def test_training_moves_a_copy_of_the_weights(network) -> None:
    before = network.get_weights()
    state = state_of(network, "cpu")
    forward(state, pictures(network), training=True)
    for left, was in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, was)
    assert any((now != was).any() for now, was in zip(arrays_of(state), before, strict=True))


def test_a_teacher_has_its_normalisation_in_its_kernels(network) -> None:
    size = network.input_shape[1]
    teacher = Teacher(fold(network), size=size, device="cpu", kind=torch.float32)
    with torch.no_grad():
        wanted, _ = forward(state_of(network, "cpu"), pictures(network))
        said = teacher.logits(pictures(network))
        larger = torch.nn.functional.interpolate(
            pictures(network).movedim(-1, 1), scale_factor=2, mode="nearest"
        ).movedim(1, -1)
        scaled = teacher.logits(larger)
    torch.testing.assert_close(said, wanted, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(scaled, said, atol=1e-3, rtol=1e-3)
