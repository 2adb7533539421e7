import numpy as np
import pytest

from fer_edge.modelcard import InputSpec
from fer_edge.preprocess import to_tensor
from fer_edge.training.augment import Recipe, augment

STILL = Recipe(
    rotation_deg=0,
    zoom=1,
    shift=0,
    contrast=0,
    brightness=0,
    gamma=1,
    cubic=0,
    blurred=0,
    sharpened=0,
    noisy=0,
    occluded=0,
)
SPEC = InputSpec(height=112, width=112, channels=1, scale=1, offset=0, margin=0)


@pytest.fixture
def face() -> np.ndarray:
    """A smooth 48 x 48 picture, darker to the left."""
    across, down = np.meshgrid(np.arange(48), np.arange(48))
    return (across * 4 + down).astype(np.uint8)


def test_without_any_change_the_network_sees_what_preprocess_makes(face) -> None:
    plain = augment(face, 112, flip=False, rng=np.random.default_rng(0), recipe=STILL)
    assert plain.shape == (112, 112)
    np.testing.assert_allclose(plain, to_tensor([face], SPEC)[0, ..., 0], atol=2.5)


def test_a_mirror_image_is_a_mirror_image(face) -> None:
    plain = augment(face, 112, flip=False, rng=np.random.default_rng(0), recipe=STILL)
    mirrored = augment(face, 112, flip=True, rng=np.random.default_rng(0), recipe=STILL)
    np.testing.assert_allclose(mirrored[:, ::-1], plain, atol=1.5)


def test_the_same_seed_gives_the_same_picture_and_another_gives_another(face) -> None:
    first, again, other = (
        augment(face, 112, flip=False, rng=np.random.default_rng(seed), recipe=Recipe())
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 1


def test_the_original_is_left_alone(face) -> None:
    face.flags.writeable = False
    before = face.copy()
    for seed in range(50):
        made = augment(
            face, 48, flip=bool(seed % 2), rng=np.random.default_rng(seed), recipe=Recipe()
        )
        assert made.dtype == np.uint8
    np.testing.assert_array_equal(face, before)
