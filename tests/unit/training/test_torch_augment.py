"""Changes to whole batches do what those to one picture do."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from fer_edge.training.augment import RECIPES, STILL, Recipe, augment
from fer_edge.training.torch_augment import augment_batch

pytestmark = pytest.mark.train

SIZE = 64
COUNT = 1000


@pytest.fixture
def face() -> np.ndarray:
    """A picture with something everywhere, darker to the left."""
    across, down = np.meshgrid(np.arange(48), np.arange(48))
    waves = 60 * np.sin(across / 5) * np.cos(down / 7) + 20 * ((across // 6 + down // 6) % 2)
    return (80 + across + waves).clip(0, 255).astype(np.uint8)


def one_by_one(face: np.ndarray, recipe: Recipe) -> np.ndarray:
    rng = np.random.default_rng(0)
    flips = rng.random(COUNT) < recipe.flip
    return np.stack([augment(face, SIZE, bool(f), rng, recipe) for f in flips]).astype(np.float32)


def at_once(face: np.ndarray, recipe: Recipe) -> np.ndarray:
    torch.manual_seed(0)
    batch = torch.tensor(np.stack([face] * COUNT)).float()
    return augment_batch(batch, SIZE, recipe).numpy()


def inner(pictures: np.ndarray) -> np.ndarray:
    """Without what lies over the edge, which is repeated or mirrored by chance."""
    return pictures[:, 2:-2, 2:-2]


@pytest.mark.parametrize("flip", [0, 1])
def test_without_chance_both_make_the_same(face, flip) -> None:
    recipe = replace(STILL, flip=flip)
    np.testing.assert_allclose(
        inner(at_once(face, recipe)), inner(one_by_one(face, recipe)), atol=2.5
    )


ONE = {
    "flip": 0.5,
    "rotation_deg": 12,
    "zoom": 1.22,
    "shift": 0.07,
    "cubic": 1,
    "contrast": 0.35,
    "brightness": 35,
    "gamma": 1.5,
    "blurred": 1,
    "sharpened": 1,
    "noisy": 1,
    "occluded": 1,
}


def test_every_change_is_compared() -> None:
    assert {"blur_px", "sharpen", "noise"} | ONE.keys() == {field.name for field in fields(Recipe)}


@pytest.mark.parametrize("name", ONE)
def test_each_change_goes_as_far_as_that_of_one_picture(face, name) -> None:
    recipe = replace(STILL, **{name: ONE[name]})
    still = inner(one_by_one(face, STILL))
    for measure in (np.mean, np.std):
        # Of each picture, how far it moved; and how that differs between pictures.
        known, found = (
            measure(np.abs(inner(made(face, recipe)) - still).mean((1, 2)))
            for made in (one_by_one, at_once)
        )
        assert found == pytest.approx(known, rel=0.2, abs=0.25)


def test_pictures_of_a_batch_are_changed_each_in_its_own_way_and_stay_pictures(face) -> None:
    made = at_once(face, RECIPES["webcam"])
    assert made.min() >= 0
    assert made.max() <= 255
    assert len({picture.tobytes() for picture in made}) == COUNT
