"""The interpreter that is installed, on the models that ship."""

import importlib.util

import cv2
import numpy as np
import pytest

from fer_edge.affect import open_classifier
from fer_edge.affect.tflite import INTERPRETERS, Classifier, import_interpreter
from fer_edge.config import ModelConfig
from fer_edge.errors import ModelError
from fer_edge.modelcard import find_card, list_cards, models_dir, read_model
from fer_edge.types import EMOTIONS, Emotion

pytestmark = pytest.mark.interpreter

CARDS = list_cards(models_dir())


@pytest.fixture(scope="module")
def face():
    """Luma of the face in the demo's portrait, cut as the detector cuts it."""
    from importlib import resources

    data = resources.files("fer_edge.sources").joinpath("astronaut.jpg").read_bytes()
    luma = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    ((x, y, width, height),) = cascade.detectMultiScale(luma, minSize=(60, 60))
    return luma[y : y + height, x : x + width]


@pytest.fixture(params=CARDS, ids=lambda card: card.name)
def classifier(request):
    card = request.param
    return open_classifier(ModelConfig(alpha=card.alpha, precision=card.precision))


def test_the_interpreter_is_the_one_this_environment_is_for():
    installed = [name for name in INTERPRETERS if importlib.util.find_spec(name.split(".")[0])]
    assert import_interpreter().__module__ == installed[0]


def test_a_smile_is_happy_and_pleasant(classifier, face):
    (affect,) = classifier([face])
    assert EMOTIONS[affect.probabilities.argmax()] is Emotion.HAPPY
    assert affect.valence > 0.2
    assert -1 <= affect.arousal <= 1


def test_probabilities_are_a_read_only_distribution(classifier, face):
    (affect,) = classifier([face])
    assert affect.probabilities.shape == (8,)
    assert affect.probabilities.dtype == np.float32
    assert affect.probabilities.sum() == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match="read-only"):
        affect.probabilities[0] = 1


def test_crops_of_any_size_in_order(classifier, face):
    crops = [face, cv2.resize(face, (40, 40)), np.zeros((200, 200), np.uint8), face]
    readings = classifier(crops)
    alone = [classifier([crop])[0] for crop in crops]
    for together, single in zip(readings, alone, strict=True):
        assert np.allclose(together.probabilities, single.probabilities, atol=1e-6)
        assert together.valence == pytest.approx(single.valence, abs=1e-6)


def test_no_crops_no_readings(classifier):
    assert classifier([]) == []


def test_threads_change_nothing(face):
    readings = [open_classifier(ModelConfig(threads=n))([face])[0] for n in (1, 2)]
    assert np.allclose(readings[0].probabilities, readings[1].probabilities, atol=1e-5)


def test_int8_and_float32_agree(face):
    exact, quick = (
        open_classifier(ModelConfig(precision=precision))([face])[0]
        for precision in ("float32", "int8")
    )
    assert np.abs(exact.probabilities - quick.probabilities).max() < 0.15
    assert exact.valence == pytest.approx(quick.valence, abs=0.1)


def test_a_missing_alpha_names_those_that_exist():
    with pytest.raises(
        ModelError, match=r"no model with alpha 0\.3 .*choose alpha 0\.25"
    ) as caught:
        open_classifier(ModelConfig(alpha=0.3))
    assert caught.value.exit_code == 78


def copy_model(tmp_path, change):
    card = find_card(models_dir(), 0.25, "int8")
    content = read_model(card, models_dir())
    (tmp_path / f"{card.name}.json").write_text(card.model_dump_json())
    (tmp_path / card.file).write_bytes(change(content))
    return ModelConfig(directory=tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:1000],
        lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
        lambda content: b"",
    ],
    ids=["truncated", "one bit", "empty"],
)
def test_a_damaged_model_is_refused_before_it_is_loaded(tmp_path, change):
    config = copy_model(tmp_path, change)
    with pytest.raises(ModelError, match=r"\.tflite: .*its card says") as caught:
        open_classifier(config)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_model_is_one_line(tmp_path):
    card = find_card(models_dir(), 0.25, "int8")
    with pytest.raises(ModelError, match="the interpreter refuses it") as caught:
        Classifier(card, b"TFL3 is not enough")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "change", "expected"),
    [
        ("input", {"width": 96}, "input: the model has 112×112×1, its card says 112×96×1"),
        ("input", {"channels": 3}, "input: the model has 112×112×1, its card says 112×112×3"),
        ("outputs", {"emotion": "mood"}, "outputs.emotion: the model has no such tensor"),
        ("outputs", {"valence_arousal": "emotion"}, "outputs.valence_arousal: the model has 8,"),
    ],
)
def test_a_card_of_another_model_is_refused(part, change, expected):
    card = find_card(models_dir(), 0.25, "int8")
    content = read_model(card, models_dir())
    wrong = card.model_copy(update={part: getattr(card, part).model_copy(update=change)})
    with pytest.raises(ModelError) as caught:
        Classifier(wrong, content)
    assert str(caught.value).startswith(f"{card.file}: {expected}")


def test_temperature_is_applied(face):
    card = find_card(models_dir(), 0.25, "float32")
    content = read_model(card, models_dir())
    plain, soft = (
        Classifier(card.model_copy(update={"temperature": t}), content)([face])[0]
        for t in (1.0, 2.0)
    )
    expected = np.sqrt(np.maximum(plain.probabilities, 1e-6))
    assert np.allclose(soft.probabilities, expected / expected.sum(), atol=1e-4)
