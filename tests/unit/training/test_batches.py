from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")
pytestmark = [
    pytest.mark.train,
    # Keras and TensorFlow, not this code, lag behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

from fer_edge.errors import ConfigError  # noqa: E402
from fer_edge.evaluation.datasets import Origin, Pictures, Samples  # noqa: E402
from fer_edge.training.batches import Batches, Targets, mixed  # noqa: E402
from fer_edge.training.options import Config, input_spec  # noqa: E402
from fer_edge.training.throughput import throughput  # noqa: E402

CONFIG = Config(dataset="", out="", batch=16, augment="none", threads=1)


@pytest.fixture(scope="module")
def samples() -> Samples:
    """64 pictures, each of one grey level that tells its row."""
    labels = np.arange(64) % 8
    return Samples(
        pictures=Pictures(np.full((8, 8), row * 3, np.uint8) for row in range(64)),
        soft_labels=np.eye(8, dtype=np.float32)[labels],
        labels=labels,
        valence_arousal=np.stack([np.arange(64) / 64, np.full(64, np.nan)], 1).astype(np.float32),
        names=np.array([str(row) for row in range(64)]),
        origin=Origin("", "", "", ""),
    )


@pytest.fixture(scope="module")
def targets(samples) -> Targets:
    weights = np.arange(64, dtype=np.float32)
    emotion = np.stack([samples.soft_labels] * 2)
    return Targets(emotion, samples.valence_arousal, weights, 2 * weights)


def test_an_epoch_has_every_picture_with_its_targets_and_weights(samples, targets) -> None:
    batches = Batches(samples, targets, input_spec(8), CONFIG, 0)
    assert len(batches) == 4
    rows = []
    for i in range(4):
        tensor, said, weights = batches[i]
        row = np.round((tensor[:, 0, 0, 0] + 1) * 127.5 / 3).astype(int)
        rows += row.tolist()
        np.testing.assert_array_equal(said["emotion"].argmax(1), row % 8)
        np.testing.assert_allclose(said["valence_arousal"][:, 0], row / 64)
        np.testing.assert_array_equal(weights["emotion"], row)
        np.testing.assert_array_equal(weights["valence_arousal"], 2 * row)
    assert sorted(rows) == list(range(64))


def test_the_same_epoch_is_the_same_and_the_next_is_not(samples, targets) -> None:
    config = replace(CONFIG, augment="webcam", mixup=0.2)
    first, again, other = (
        Batches(samples, targets, input_spec(8), config, epoch)[0][0] for epoch in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.05


def test_three_channels_have_the_same_luma(samples, targets) -> None:
    tensor, *_ = Batches(samples, targets, input_spec(16, 3), CONFIG, 0)[0]
    assert tensor.shape == (16, 16, 16, 3)
    np.testing.assert_array_equal(tensor[..., 0], tensor[..., 2])


def test_mixed_pairs_have_mixed_labels(samples, targets) -> None:
    config = replace(CONFIG, mixup=0.4)
    tensor, said, weights = Batches(samples, targets, input_spec(8), config, 0)[0]
    plain, before, weighed = Batches(samples, targets, input_spec(8), CONFIG, 0)[0]
    levels, mixed_levels = plain[:, 0, 0, 0], tensor[:, 0, 0, 0]
    share = (mixed_levels - np.roll(levels, 1)) / (levels - np.roll(levels, 1))
    assert ((share >= -1e-3) & (share <= 1 + 1e-3)).all()
    assert ((share > 0.02) & (share < 0.98)).any()
    wanted = share[:, None] * before["emotion"] + (1 - share[:, None]) * np.roll(
        before["emotion"], 1, axis=0
    )
    np.testing.assert_allclose(said["emotion"], wanted, atol=1e-4)
    np.testing.assert_allclose(
        weights["emotion"],
        share * weighed["emotion"] + (1 - share) * np.roll(weighed["emotion"], 1),
        atol=1e-2,
    )


def test_mixed_with_the_unknown_is_unknown() -> None:
    values = np.array([[1.0], [np.nan], [3.0]], np.float32)
    made = mixed(values, np.full(3, 0.5, np.float32))
    np.testing.assert_array_equal(np.isnan(made[:, 0]), [False, True, True])
    assert made[0, 0] == 2


def test_the_pipeline_is_measured_against_the_step(samples) -> None:
    measured = throughput(replace(CONFIG, size=32), samples, batches=4)
    assert measured.step > 0
    assert 0 < measured.training < 2 * measured.pipeline
    slower = "pipeline" if measured.pipeline < measured.step else "training step"
    assert f"the {slower} is the bottleneck" in str(measured)
    with pytest.raises(ConfigError, match="64 pictures; --batch 16 needs 80"):
        throughput(CONFIG, samples, batches=5)
