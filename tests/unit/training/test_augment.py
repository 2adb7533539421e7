import numpy as np
import pytest

from fer_edge.errors import ConfigError
from fer_edge.modelcard import InputSpec
from fer_edge.preprocess import to_tensor
from fer_edge.training.augment import STILL, Recipe, augment, recipe_of

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


def test_a_large_picture_is_averaged_not_skipped_through() -> None:
    fine = np.zeros((672, 672), np.uint8)
    fine[:, ::6] = 255
    made = augment(fine, 112, flip=False, rng=np.random.default_rng(0), recipe=STILL)
    assert made.std() < 40, "lines of one pixel in six become grey"


def test_a_recipe_can_be_changed() -> None:
    assert recipe_of("webcam") == Recipe()
    thesis = recipe_of("thesis", "rotation_deg=5,flip=0")
    assert (thesis.rotation_deg, thesis.flip, thesis.zoom, thesis.blurred) == (5, 0, 1.2, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [("tilt=3", "no such field; choose of flip"), ("zoom", "write it as zoom=NUMBER")],
)
def test_a_wrong_change_is_named(change, message) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe_of("none", change)
