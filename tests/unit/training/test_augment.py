"""Changes to batches of pictures."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from fer_edge.errors import ConfigError  # noqa: E402  only where it is installed
from fer_edge.preprocess import to_tensor  # noqa: E402
from fer_edge.training.augment import augment, even_light  # noqa: E402
from fer_edge.training.options import EVEN_DEVIATION, EVEN_MEAN, input_spec  # noqa: E402
from fer_edge.training.recipes import RECIPES, STILL, Recipe, recipe_of  # noqa: E402

SIZE = 64
COUNT = 200


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """A picture with something everywhere, darker to the left."""
    across, down = np.meshgrid(np.arange(48), np.arange(48))
    waves = 60 * np.sin(across / 5) * np.cos(down / 7) + 20 * ((across // 6 + down // 6) % 2)
    return (80 + across + waves).clip(0, 255).astype(np.uint8)


def changed(face: np.ndarray, recipe: Recipe, seed: int = 0) -> np.ndarray:
    torch.manual_seed(seed)
    return augment(torch.tensor(np.stack([face] * COUNT)).float(), SIZE, recipe)[1].numpy()


def inner(pictures: np.ndarray) -> np.ndarray:
    """Without what lies over the edge, which is repeated or mirrored by chance."""
    return pictures[..., 2:-2, 2:-2]


@pytest.mark.parametrize("flip", [0, 1])
def test_without_chance_the_network_sees_what_preprocess_makes(face, flip) -> None:
    wanted = cv2.resize(face[:, ::-1] if flip else face, (SIZE, SIZE))
    made = changed(face, replace(STILL, flip=flip))
    np.testing.assert_allclose(
        inner(made), np.broadcast_to(inner(wanted), inner(made).shape), atol=2.5
    )


def test_light_is_made_even_as_preprocess_does_it(face) -> None:
    spec = input_spec(SIZE, even=True)
    for picture in (face, (face * 0.12).astype(np.uint8), np.full_like(face, 90)):
        resized = to_tensor(
            [picture], input_spec(SIZE).model_copy(update={"scale": 1, "offset": 0})
        )
        lit = even_light(torch.tensor(resized[..., 0]), EVEN_MEAN, EVEN_DEVIATION)
        wanted = to_tensor([picture], spec)[..., 0]
        # Preprocess does not round to whole grey levels between the two steps.
        gain = 58 / max(resized.std(), 3)
        np.testing.assert_allclose(
            lit.numpy() * spec.scale + spec.offset, wanted, atol=0.8 * gain / 127.5
        )


CHANGES = {
    "flip": 1,
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
    "sidelit": 1,
    "dark": 1,
    "moving": 1,
    "small": 1,
    "masked": 1,
    "glasses": 1,
    "hands": 1,
}


def test_every_change_is_tried() -> None:
    strengths = {"blur_px", "sharpen", "noise", "darkest"}
    assert strengths | CHANGES.keys() == {field.name for field in fields(Recipe)}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_changes_pictures_each_in_its_own_way_and_only_if_wanted(face, name) -> None:
    plain = changed(face, STILL)
    strong = {"blur_px": 2.0, "sharpen": 1.2, "noise": 6.0, "darkest": 0.1}
    made = changed(face, replace(STILL, **strong, **{name: CHANGES[name]}))
    assert made.min() >= 0
    assert made.max() <= 255
    moved = np.abs(inner(made) - inner(plain)).mean((1, 2))
    assert np.median(moved) > 0.3
    assert moved.max() < 160
    if name not in {"flip", "cubic", "small"}:
        assert len({picture.tobytes() for picture in made}) > COUNT // 2
    np.testing.assert_allclose(changed(face, replace(STILL, **strong)), plain, atol=1e-3)


def test_a_share_of_the_pictures_is_changed(face) -> None:
    plain = changed(face, STILL)
    for name in ("dark", "sidelit", "masked", "glasses", "hands", "occluded"):
        made = changed(face, replace(STILL, darkest=0.1, **{name: 0.3}))
        share = (np.abs(made - plain).max((1, 2)) > 1).mean()
        assert 0.15 < share < 0.45, name


def test_blur_is_that_of_a_gaussian(face) -> None:
    recipe = replace(STILL, blurred=1, blur_px=0.0)
    sharp = cv2.resize(face, (SIZE, SIZE)).astype(np.float32)
    wanted = cv2.GaussianBlur(sharp, (0, 0), 0.3)
    np.testing.assert_allclose(inner(changed(face, recipe)[0]), inner(wanted), atol=2.5)


def test_the_dark_has_few_grey_levels_and_the_teacher_sees_none_of_it(face) -> None:
    torch.manual_seed(0)
    batch = torch.tensor(np.stack([face] * COUNT)).float()
    moved, dark, _ = augment(batch, SIZE, replace(STILL, dark=1, darkest=0.1))
    assert (dark == dark.round()).all()
    assert dark.mean() < 0.6 * moved.mean()
    np.testing.assert_allclose(moved.numpy(), changed(face, STILL), atol=1e-3)


def test_a_mask_covers_the_mouth_and_not_the_eyes(face) -> None:
    moved = np.abs(changed(face, replace(STILL, masked=1)) - changed(face, STILL)) > 1
    assert moved[:, 48:58, 26:38].mean() > 0.9
    assert moved[:, : SIZE // 3].mean() == 0


def test_the_same_seed_gives_the_same_pictures_and_another_gives_others(face) -> None:
    for recipe in (RECIPES["webcam"], RECIPES["room"]):
        first, again, other = (changed(face, recipe, seed) for seed in (1, 1, 2))
        np.testing.assert_allclose(first, again, atol=1e-3)
        assert np.abs(first - other).mean() > 1


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
