from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge.errors import ConfigError
from fer_edge.evaluation.datasets import load
from fer_edge.evaluation.datasets._ferplus import majority_labels, soft_labels, usable_rows

VOTES = np.array(
    [
        # neutral happy sad surprise fear disgust anger contempt unknown non-face
        [7, 2, 1, 0, 0, 0, 0, 0, 0, 0],
        [0, 9, 0, 0, 0, 0, 0, 1, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 9, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 10],
        [0, 0, 6, 0, 4, 0, 0, 0, 0, 0],
        [0, 0, 0, 8, 2, 0, 0, 0, 0, 0],
    ],
    np.uint8,
)


@pytest.fixture
def ferplus(tmp_path: Path) -> str:
    """Six tiny pictures in the layout of ferplus.npz."""
    encoded = []
    for level in range(6):
        done, data = cv2.imencode(".webp", np.full((48, 48), level * 40, np.uint8))
        assert done
        encoded.append(data.ravel())
    np.savez(
        tmp_path / "tiny.npz",
        blob=np.concatenate(encoded),
        offsets=np.cumsum([0, *map(len, encoded)]),
        split=np.array([0, 0, 0, 0, 2, 2], np.uint8),
        votes=VOTES,
        duplicate_of_train=np.array([0, 0, 0, 0, 0, 1], bool),
        valence=np.linspace(-0.5, 0.5, 6).astype(np.float32),
        arousal=np.full(6, 0.1, np.float32),
        name=np.array([f"fer{i}.png" for i in range(6)]),
    )
    return f"ferplus:{tmp_path / 'tiny.npz'}"


def test_single_votes_are_dropped_and_the_rest_sum_to_one() -> None:
    soft = soft_labels(VOTES[:3])
    np.testing.assert_allclose(soft[0, :3], [7 / 9, 2 / 9, 0], rtol=1e-6)
    np.testing.assert_allclose(soft[1, [1, 7]], [1, 0])
    np.testing.assert_allclose(soft[2, 0], 1)


def test_unknown_and_non_faces_are_not_used() -> None:
    np.testing.assert_array_equal(usable_rows(VOTES), [True, True, False, False, True, True])


def test_of_two_with_as_many_votes_the_first_in_ferplus_order_wins() -> None:
    tied = np.zeros((3, 10), np.uint8)
    tied[0, [2, 3]] = 5  # sad and surprise
    tied[1, [5, 6]] = 5  # disgust and anger
    tied[2, [4, 5]] = 5  # fear and disgust
    np.testing.assert_array_equal(majority_labels(tied), [3, 6, 5])


def test_a_split_has_its_usable_rows(ferplus: str) -> None:
    samples = load(ferplus, "train")
    assert len(samples) == 2
    np.testing.assert_array_equal(samples.labels, [0, 1])
    assert samples.pictures[1].shape == (48, 48)
    assert abs(int(samples.pictures[1][0, 0]) - 40) <= 2
    np.testing.assert_allclose(samples.valence_arousal[:, 1], 0.1)


def test_duplicates_of_training_pictures_are_left_out(ferplus: str) -> None:
    assert load(ferplus, "test").names.tolist() == ["fer4.png"]
    assert len(load(ferplus, "validation")) == 0


@pytest.mark.parametrize(
    ("specification", "split", "message"),
    [
        ("ferplus", "train", "write one of ferplus:PATH"),
        ("raf:somewhere", "train", "write one of ferplus:PATH"),
        ("ferplus:/nowhere.npz", "train", "no such file"),
        ("ferplus:/nowhere.npz", "all", "mix training pictures in"),
        ("affectnet:/nowhere", "test", "name AffectNet's folder"),
        ("folder:/nowhere", "test", "No such file"),
        ("ferplus:/nowhere.npz", "dev", "choose one of train, validation, test, all"),
    ],
)
def test_a_wrong_name_says_what_to_write(specification: str, split: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(specification, split)
