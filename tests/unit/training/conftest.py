"""What the tests of training share."""

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from networks import used_weights

from fer_edge.training.network import Weights


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> str:
    """256 pictures to train on, 64 to judge and 64 to test: each class a level of grey."""
    rng = np.random.default_rng(0)
    split = np.repeat([0, 1, 2], [256, 64, 64]).astype(np.uint8)
    labels = np.arange(len(split)) % 8
    encoded = []
    for label in labels:
        picture = rng.normal(30 + 28 * label, 8, (48, 48)).clip(0, 255).astype(np.uint8)
        encoded.append(cv2.imencode(".webp", picture)[1].ravel())
    votes = np.zeros((len(split), 10), np.uint8)
    votes[np.arange(len(split)), labels] = 10
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(
        path,
        blob=np.concatenate(encoded),
        offsets=np.cumsum([0, *map(len, encoded)]),
        split=split,
        votes=votes,
        duplicate_of_train=np.zeros(len(split), bool),
        valence=(labels / 10).astype(np.float32),
        arousal=(labels / -10).astype(np.float32),
        name=np.array([f"{i}.png" for i in range(len(split))]),
    )
    return f"ferplus:{path}"


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """64 network inputs of 32 x 32."""
    return np.random.default_rng(1).uniform(-1, 1, (64, 32, 32, 1)).astype(np.float32)


@pytest.fixture(scope="session")
def trained() -> Weights:
    """A network 0.35 wide that is not new."""
    return used_weights(0.35)
