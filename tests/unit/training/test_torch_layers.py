"""Training on PyTorch; `tests/run --training` runs it with KERAS_BACKEND=torch."""

import cv2
import keras
import numpy as np
import pytest
import torch

from fer_edge.training.folded import load_weights
from fer_edge.training.network import build, teacher
from fer_edge.training.options import Config
from fer_edge.training.torch_layers import (
    Convolution,
    Depthwise,
    Normalisation,
    NormalisedReLU6,
    Nothing,
    native,
)
from fer_edge.training.train import train

pytestmark = [
    pytest.mark.train,
    # Keras, not this code, lags behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def pair(size):
    """Keras' own layers and ours, with the same weights, none of them at its first value."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    plain = build(0.25, size=size, dropout=0)
    plain.set_weights([w + rng.uniform(0, 0.1, w.shape) for w in plain.get_weights()])
    return plain, native(plain)


def pictures(size, count=8):
    rng = np.random.default_rng(1)
    return torch.tensor(rng.uniform(-1, 1, (count, size, size, 1)).astype(np.float32))


def test_every_layer_that_keras_trains_slowly_is_replaced():
    kinds = {type(layer) for layer in native(build(0.25)).layers}
    assert {Convolution, Depthwise, Normalisation, NormalisedReLU6, Nothing} <= kinds
    slow = {"Conv2D", "DepthwiseConv2D", "BatchNormalization", "ReLU", "ZeroPadding2D"}
    assert not {getattr(keras.layers, name) for name in slow} & kinds


@pytest.mark.parametrize("size", [33, 64, 112])
def test_the_network_says_what_it_said(size):
    models = pair(size)
    assert [v.path for v in models[0].variables] == [v.path for v in models[1].variables]
    still = [model(pictures(size), training=False) for model in models]
    for name in still[0]:
        torch.testing.assert_close(still[0][name], still[1][name])


def stands_for(plain, layer):
    """The layers of Keras' network whose work ``layer`` does."""
    own = plain.get_layer(layer.name)
    match layer:
        case NormalisedReLU6():
            return [own, plain.get_layer(layer.name.replace("_bn", "_relu"))]
        case Depthwise(strides=(2, 2)):
            return [plain.get_layer(layer.name.replace("_dw_", "_pad_")), own]
    return [own]


def trained(layers, inputs, slopes):
    """Outputs, gradients and weights after one pass that ``slopes`` come back from."""
    outputs = inputs = inputs.clone().requires_grad_()
    for layer in layers:
        outputs = layer(outputs, training=True)
    outputs.backward(slopes)
    gradients = {v.path: v.value.grad for layer in layers for v in layer.trainable_variables}
    weights = [w for layer in layers for w in layer.get_weights()]
    return outputs.detach(), {"inputs": inputs.grad} | gradients, weights


@pytest.mark.parametrize("size", [33, 64, 112])
def test_outputs_gradients_and_moving_averages_of_a_layer_are_those_of_keras(size):
    # Layer by layer: through the whole network a rounding error grows, at the kink of each ReLU.
    generator = torch.Generator().manual_seed(0)
    plain, copy = pair(size)
    seen = set()
    for ours in copy.layers:
        if not isinstance(ours, Convolution | Depthwise | Normalisation):
            continue
        layers = stands_for(plain, ours)
        seen.update(layer.name for layer in layers)
        variables = [v for layer in layers for v in layer.variables]
        start = [v.numpy() for v in variables]
        inputs = 1 + torch.randn(8, *layers[0].input.shape[1:], generator=generator)
        slopes = torch.randn(8, *layers[-1].output.shape[1:], generator=generator)
        if isinstance(ours, NormalisedReLU6):
            # Where rounding decides on which side of a kink a value lies, nothing comes back.
            with torch.no_grad():
                before = layers[0](inputs, training=True)
            layers[0].set_weights(start)
            slopes *= (before.abs() > 1e-3) & ((before - 6).abs() > 1e-3)
        expected, found = (trained(chain, inputs, slopes) for chain in (layers, [ours]))
        torch.testing.assert_close(found[0], expected[0], atol=1e-4, rtol=1e-4)
        for path, gradient in expected[1].items():
            scale = gradient.abs().max()
            torch.testing.assert_close(found[1][path] / scale, gradient / scale, atol=3e-4, rtol=0)
        for v, before, theirs, own in zip(variables, start, expected[2], found[2], strict=True):
            # PyTorch's variance takes in n / (n - 1) as much; the least n is 8 maps of one pixel.
            rtol = 1 / 7 + 1e-3 if "variance" in v.path else 0
            np.testing.assert_allclose(
                own - 0.99 * before, theirs - 0.99 * before, rtol=rtol, atol=1e-5, err_msg=v.path
            )
    assert {layer.name for layer in plain.layers} - seen == {
        *("picture", "pool", "dropout", "emotion", "valence_arousal")
    }


def test_in_bfloat16_the_network_says_nearly_what_it_said():
    plain, _ = pair(112)
    swift = native(plain, bfloat16=True)
    computed = swift.get_layer("conv_pw_13_bn")(torch.ones(1, 3, 3, 256))
    assert computed.dtype == torch.bfloat16
    assert all(v.value.dtype == torch.float32 for v in swift.variables)
    said = [model(pictures(112), training=False) for model in (plain, swift)]
    for name in said[0]:
        assert said[1][name].dtype == torch.float32
        torch.testing.assert_close(said[1][name], said[0][name], atol=0.03, rtol=0)


def stored(out):
    with np.load(f"{out}/last.npz") as file:
        return dict(file)


def test_two_steps_of_training_go_on_and_serve_as_a_start(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["file,emotion,valence,arousal"]
    for i in range(80):
        cv2.imwrite(str(tmp_path / f"{i}.png"), rng.integers(0, 256, (48, 48), np.uint8))
        lines.append(f"{i}.png,{('happy', 'sad')[i % 2]},{i / 100},0.1")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    chosen = {"dataset": f"folder:{tmp_path}", "size": 64, "small": 32, "small_epochs": 1}
    first = Config(out=str(tmp_path / "a"), epochs=1, batch=16, **chosen)
    assert train(first).is_file()
    before = stored(first.out)
    train(Config(out=first.out, epochs=2, batch=16, bfloat16=True, **chosen))
    assert len((tmp_path / "a" / "log.jsonl").read_text().splitlines()) == 2
    after = stored(first.out)
    assert (before["epoch"], after["epoch"]) == (1, 2)
    assert not np.array_equal(before["model/0000"], after["model/0000"])
    logits = teacher(load_weights(first.out), size=64)(pictures(64), training=False)
    assert torch.isfinite(logits).all()
    train(Config(out=str(tmp_path / "b"), epochs=1, batch=16, init=first.out, **chosen))
