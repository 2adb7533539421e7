"""dlib's face network as a teacher."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from fer_edge.training.network import Weights, tensors  # noqa: E402  only where it is installed
from fer_edge.training.resnet import (  # noqa: E402
    BLOCKS,
    FIRST,
    RGB_MEAN,
    for_luma,
    forward,
    is_resnet,
    with_heads,
)


@pytest.fixture(scope="module")
def published() -> Weights:
    """Weights of the published shapes, at random."""
    rng = np.random.default_rng(0)
    shapes = {FIRST: (7, 7, 3, 32)}
    given = 32
    for name in BLOCKS:
        made = int("".join(c for c in name.split("_")[0] if c.isdigit()))
        shapes |= {f"{name}/conv1": (3, 3, given, made), f"{name}/conv2": (3, 3, made, made)}
        given = made
    weights = {}
    for name, shape in shapes.items():
        limit = np.sqrt(1 / np.prod(shape[:3]))
        weights[f"{name}/kernel"] = rng.normal(0, limit, shape).astype(np.float32)
        weights[f"{name}/bias"] = rng.normal(0, 0.1, shape[3]).astype(np.float32)
    return weights | {"fc": np.ones((256, 128), np.float32)}


def test_it_has_the_parameters_of_the_published_one(published) -> None:
    assert is_resnet(published)
    kernels = [array.size for name, array in published.items() if name.endswith("kernel")]
    assert len(kernels) == 29
    # 22 MB of float32 in dlib's file.
    assert sum(array.size for array in published.values()) == 5_607_488


@pytest.mark.parametrize("size", [112, 150])
def test_it_has_our_heads_at_its_own_size_and_ours(published, size) -> None:
    weights = with_heads(for_luma(published), np.random.default_rng(0))
    assert "fc" not in weights
    pictures = torch.zeros(2, size, size, 1)
    logits, plane = forward(tensors(weights), pictures)
    assert logits.shape == (2, 8)
    assert plane.shape == (2, 2)
    again = with_heads(weights, np.random.default_rng(1))
    np.testing.assert_array_equal(again["emotion/kernel"], weights["emotion/kernel"])


def test_luma_is_seen_as_grey_was(published) -> None:
    grey = np.random.default_rng(2).uniform(0, 255, (7, 7)).astype(np.float32)
    coloured = (np.repeat(grey[..., None], 3, 2) - RGB_MEAN) / 256
    name = f"{FIRST}/kernel"
    wanted = np.einsum("hwi,hwio->o", coloured, published[name]) + published[f"{FIRST}/bias"]
    ours = for_luma(published)
    made = np.einsum("hw,hwo->o", grey / 127.5 - 1, ours[name][:, :, 0]) + ours[f"{FIRST}/bias"]
    np.testing.assert_allclose(made, wanted, atol=1e-4)
    assert for_luma(ours) is ours
