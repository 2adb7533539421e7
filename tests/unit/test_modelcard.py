import hashlib
import json
from pathlib import Path

import pytest

from fer_edge.errors import ModelError
from fer_edge.modelcard import (
    InputSpec,
    ModelCard,
    find_card,
    list_cards,
    load_card,
    models_dir,
    read_model,
)

AXIS = {"rmse": 0.2, "normalised_rmse": 0.3, "sagr": 0.8, "ccc": 0.7}
EMOTIONS = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"]


def write(directory: Path, alpha: float, precision: str, /, **changes: object) -> Path:
    """A model of a few bytes and its card."""
    name = f"mobilenet_v1_{alpha:g}_112_{precision}"
    content = f"weights of {name}".encode()
    (directory / f"{name}.tflite").write_bytes(content)
    card = {
        "name": name,
        "file": f"{name}.tflite",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "alpha": alpha,
        "precision": precision,
        "parameters": 222138,
        "labels": EMOTIONS,
        "input": {
            "height": 112,
            "width": 112,
            "channels": 1,
            "scale": 1 / 127.5,
            "offset": -1.0,
            "margin": 0.0,
        },
        "outputs": {"emotion": "emotion", "valence_arousal": "valence_arousal"},
        "quantisation": "none",
        "temperature": 1.5,
        "metrics": {
            "dataset": "made up",
            "split": "test",
            "samples": 8,
            "label_source": "nobody",
            "valence_arousal_source": "nobody",
            "accuracy": 0.8,
            "normalised_accuracy": 0.6,
            "macro_f1": 0.6,
            "normalised_f1": 0.6,
            "sensitivity": dict.fromkeys(EMOTIONS, 0.5),
            "valence": AXIS,
            "arousal": AXIS,
            "calibration_error": 0.02,
            "intervals": {"accuracy": [0.7, 0.9]},
        },
        "provenance": {
            "data": [],
            "training_command": "train",
            "conversion_command": "convert",
            "teacher": "",
            "date": "2026-01-01",
            "validation": {"accuracy": 0.8},
        },
    }
    path = directory / f"{name}.json"
    path.write_text(json.dumps(card | changes))
    return path


def test_a_card_reads_back_as_it_was_written(tmp_path: Path) -> None:
    card = load_card(write(tmp_path, 0.25, "int8"))
    assert card.alpha == 0.25
    assert card.input.margin == 0.0
    assert ModelCard.model_validate_json(card.model_dump_json()) == card


def test_cards_are_listed_narrowest_first_without_the_golden_file(tmp_path: Path) -> None:
    for alpha, precision in ((1.0, "int8"), (0.25, "int8"), (0.25, "float32")):
        write(tmp_path, alpha, precision)
    (tmp_path / "golden.json").write_text("{}")
    found = [(card.alpha, card.precision) for card in list_cards(tmp_path)]
    assert found == [(0.25, "float32"), (0.25, "int8"), (1.0, "int8")]


def test_a_missing_width_names_those_that_exist(tmp_path: Path) -> None:
    write(tmp_path, 0.25, "int8")
    write(tmp_path, 0.25, "float32")
    write(tmp_path, 1.0, "int8")
    assert find_card(tmp_path, 0.25, "int8").precision == "int8"
    with pytest.raises(ModelError, match=r"alpha 0\.3 .*0\.25 \(float32 and int8\), 1 \(int8\)"):
        find_card(tmp_path, 0.3, "int8")
    with pytest.raises(ModelError, match="alpha 1 and precision float32"):
        find_card(tmp_path, 1.0, "float32")


@pytest.mark.parametrize("directory", ["empty", "absent"])
def test_a_folder_without_cards_is_an_error(tmp_path: Path, directory: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="no model cards"):
        list_cards(tmp_path / directory)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"alpha": "wide"}, "alpha"),
        ({"alpha": -1}, "alpha"),
        ({"colour": True}, "colour"),
        ({"precision": "int4"}, "precision"),
        ({"sha256": "abc"}, "sha256"),
        ({"labels": EMOTIONS[::-1]}, "labels"),
        ({"labels": ["joy"]}, "labels.0"),
        ({"file": "../elsewhere.tflite"}, "file"),
        ({"temperature": 0}, "temperature"),
        ({"input": {"height": 112}}, "input.width"),
    ],
)
def test_a_wrong_field_is_named_in_one_line(
    tmp_path: Path, changes: dict[str, object], field: str
) -> None:
    path = write(tmp_path, 0.25, "int8", **changes)
    with pytest.raises(ModelError) as caught:
        load_card(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {field}: ")
    assert "restore" in message
    assert "\n" not in message


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00\x01"])
def test_what_is_not_json_is_an_error_of_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(ModelError, match="restore") as caught:
        load_card(path)
    assert "\n" not in str(caught.value)


def test_a_missing_card_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"No such file.*reinstall"):
        load_card(tmp_path / "none.json")


def test_a_model_is_read_only_if_it_is_the_one_described(tmp_path: Path) -> None:
    card = load_card(write(tmp_path, 0.25, "int8"))
    model = tmp_path / card.file
    content = read_model(card, tmp_path)
    assert content == model.read_bytes()
    model.write_bytes(content[:-1])
    with pytest.raises(ModelError, match=r"size_bytes: .*reinstall"):
        read_model(card, tmp_path)
    model.write_bytes(content[::-1])
    with pytest.raises(ModelError, match=r"sha256: .*reinstall"):
        read_model(card, tmp_path)
    model.unlink()
    with pytest.raises(ModelError, match=r"No such file.*reinstall"):
        read_model(card, tmp_path)


def test_the_models_that_ship_are_whole() -> None:
    directory = models_dir()
    cards = list_cards(directory)
    assert {(card.alpha, card.precision) for card in cards} >= {(0.25, "int8"), (0.25, "float32")}
    for card in cards:
        assert (directory / f"{card.name}.json").is_file()
        assert len(read_model(card, directory)) == card.size_bytes
        assert card.input.channels == 1


def test_an_input_may_not_be_empty() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        InputSpec(height=0, width=112, channels=1, scale=1, offset=0, margin=0)


@pytest.mark.parametrize("value", [0.0, 0.049, 20.1, float("nan")])
@pytest.mark.parametrize("field", ["temperature", "averaged_temperature"])
def test_a_temperature_has_bounds(tmp_path: Path, field: str, value: float) -> None:
    path = write(tmp_path, 0.25, "int8", **{field: value})
    with pytest.raises(ModelError, match=rf": {field}: "):
        load_card(path)


def test_an_older_card_has_no_temperature_of_averaged_readings(tmp_path: Path) -> None:
    assert load_card(write(tmp_path, 0.25, "int8")).averaged_temperature == 1.0
