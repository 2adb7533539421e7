import dataclasses
import json
import logging
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytestmark = pytest.mark.train

from keras_maps import keras_outputs  # noqa: E402

from fer_edge.affect.tflite import import_interpreter  # noqa: E402
from fer_edge.cli import app  # noqa: E402
from fer_edge.errors import ConfigError  # noqa: E402
from fer_edge.evaluation.datasets import load  # noqa: E402
from fer_edge.evaluation.measure import measure  # noqa: E402
from fer_edge.modelcard import load_card, read_model  # noqa: E402  needs what is checked above
from fer_edge.preprocess import to_tensor  # noqa: E402
from fer_edge.training.convert import Choice, command, convert  # noqa: E402
from fer_edge.training.export import apart, to_tflite  # noqa: E402
from fer_edge.training.network import channels_of, fold  # noqa: E402
from fer_edge.training.operating_point import compare, prior_of, towards_rare  # noqa: E402
from fer_edge.training.options import Config, arguments, input_spec  # noqa: E402
from fer_edge.training.soup import main as mix  # noqa: E402
from fer_edge.training.train import train  # noqa: E402
from fer_edge.training.weights import LAST, load_weights, trained  # noqa: E402

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory) -> Config:
    """Two steps of training: one epoch of two batches."""
    out = tmp_path_factory.mktemp("runs") / "tiny"
    config = Config(dataset=dataset, out=str(out), size=32, epochs=1, batch=128, even_light=False)
    train([config])
    return config


@pytest.mark.parametrize("bfloat16", [False, True])
def test_the_command_in_the_card_says_all_that_decides(bfloat16) -> None:
    config = Config(
        dataset="ferplus:/data/ferplus.npz",
        out="runs/x",
        init="runs/w",
        change="rotation_deg=5,occluded=0",
        channels=3,
        tau=0.2,
        bfloat16=bfloat16,
        even_light=False,
    )
    (said,) = arguments(shlex.split(command(config))[3:])
    assert dataclasses.replace(said, dataset=config.dataset) == config


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_conversion_makes_a_model_and_a_card_that_evaluation_reproduces(
    run: Config, precision, tmp_path: Path
) -> None:
    card = convert(Path(run.out), tmp_path, precision, Choice())
    assert load_card(tmp_path / f"{card.name}.json") == card
    assert card.name == f"mobilenet_v1_0.25_32_{precision}"
    model = read_model(card, tmp_path)
    figures = measure(card, model, load(run.dataset, "test"))
    assert figures == card.metrics
    assert "/" not in card.provenance.training_command.replace("$FER_EDGE_DATA", "").replace(
        '"/tiny.npz', ""
    ).replace("runs/tiny", "")

    words = f"evaluate --precision {precision} --models {tmp_path} --dataset {run.dataset} --json"
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["figures"]["accuracy"] == card.metrics.accuracy


def test_tensorflow_stays_out_of_the_process_that_trains(run: Config, tmp_path: Path) -> None:
    convert(Path(run.out), tmp_path, "float32", Choice())
    assert "tensorflow" not in sys.modules, (
        "with PyTorch's compiler it ends in a segmentation fault"
    )


def test_an_int8_file_tells_apart_what_is_nearly_as_probable(run: Config) -> None:
    shipped = str(MODELS / "mobilenet_v1_0.25_112_float32.tflite")
    samples, spec = load(run.dataset, "test"), input_spec(run.size)
    weights = load_weights(shipped)
    pictures = to_tensor(list(samples.pictures), spec)
    interpreter = import_interpreter()(model_content=to_tflite(weights, "int8", pictures))
    whole = [t for t in interpreter.get_tensor_details() if t["dtype"] == np.int8]
    assert len([t for t in whole if len(t["shape"]) == 4]) >= 2 * len(channels_of(1)), (
        "the kernels and the maps"
    )
    say = interpreter.get_signature_runner()
    (name,) = say.get_input_details()
    said = np.concatenate([say(**{name: one[np.newaxis]})["emotion"] for one in pictures])
    assert np.abs(256 * said - np.round(256 * said)).max() > 0.1
    exact = apart(keras_outputs, weights, pictures)
    assert np.abs(said - exact["emotion"]).max() < 0.1


def test_a_share_of_the_start_is_taken_back(run: Config, dataset, tmp_path: Path) -> None:
    onward = dataclasses.replace(run, out=str(tmp_path / "onward"), init=run.out, seed=2)
    train([onward])
    ends = load_weights(run.out), load_weights(onward.out)
    card = convert(Path(onward.out), tmp_path, "float32", Choice(start_share=0.25))
    assert card.provenance.conversion_command.endswith(" --start-share 0.25")
    made = load_weights(str(tmp_path / card.file))
    for name, values in made.items():
        wanted = 0.25 * ends[0][name] + 0.75 * ends[1][name]
        np.testing.assert_allclose(values, wanted, atol=2e-3, err_msg=name)


def test_light_is_made_even_in_the_card_too(run: Config, dataset, tmp_path: Path) -> None:
    even = dataclasses.replace(run, out=str(tmp_path / "even"), even_light=True, limit=64, batch=32)
    train([even])
    card = convert(Path(even.out), tmp_path, "float32", Choice())
    assert (card.input.mean, card.input.deviation) == (128, 58)
    assert measure(card, read_model(card, tmp_path), load(dataset, "test")) == card.metrics


def test_a_share_for_rare_classes_moves_the_model_and_stands_in_the_card(
    run: Config, tmp_path: Path
) -> None:
    plain = convert(Path(run.out), tmp_path / "plain", "float32", Choice())
    moved = convert(Path(run.out), tmp_path / "moved", "float32", Choice(rare_share=0.5))
    assert plain.provenance.logit_bias == ()
    assert "--rare-share" not in plain.provenance.conversion_command
    assert moved.provenance.conversion_command.endswith(" --rare-share 0.5")
    prior = prior_of(load(run.dataset, "train").labels)
    assert moved.provenance.logit_bias == tuple(towards_rare(prior, 0.5))
    before, after = (
        load_weights(str(tmp_path / folder / plain.file))["emotion/bias"]
        for folder in ("plain", "moved")
    )
    np.testing.assert_allclose(after - before, towards_rare(prior, 0.5), atol=0.01)


def test_what_shares_bring_starts_from_what_the_card_states(run: Config, tmp_path: Path) -> None:
    card = convert(Path(run.out), tmp_path, "float32", Choice())
    stated = card.provenance.validation
    head, rows = compare(run.dataset, tmp_path)
    (unmoved,) = (dict(zip(head, row, strict=True)) for row in rows if row[0] == "0")
    assert unmoved["accuracy"] == f"{stated['accuracy']:.3f}"
    assert unmoved["macro F1"] == f"{stated['macro_f1']:.3f}"
    moved = convert(Path(run.out), tmp_path / "moved", "float32", Choice(rare_share=0.5))
    again = {
        row[0]: dict(zip(head, row, strict=True))
        for row in compare(run.dataset, tmp_path / "moved")[1]
    }
    assert again["0"] == unmoved
    assert again["0.5"]["accuracy"] == f"{moved.provenance.validation['accuracy']:.3f}"
    assert rows[-1][0] == "chosen on the other half"


def test_the_averages_of_the_last_epoch_can_be_taken_instead_of_the_best(
    run: Config, tmp_path: Path
) -> None:
    card = convert(Path(run.out), tmp_path, "float32", Choice(last=True))
    assert card.provenance.conversion_command.endswith(" --precision float32 --last")
    stored = load_weights(str(tmp_path / card.file))
    for name, values in fold(trained(Path(run.out) / LAST)).items():
        np.testing.assert_allclose(stored[name], values, rtol=1e-3, atol=1e-4, err_msg=name)


def test_the_last_epoch_of_a_run_serves_as_a_teacher_and_as_a_start(
    run: Config, tmp_path: Path
) -> None:
    last = Path(run.out) / "last.npz"
    for name, weights in fold(trained(last)).items():
        np.testing.assert_array_equal(load_weights(str(last))[name], weights)
    # Another size than the run's, at which the teacher is asked.
    config = dataclasses.replace(
        run, out=str(tmp_path / "taught"), size=40, teacher=str(last), init=str(last), limit=128
    )
    train([config])
    assert "--teacher runs/tiny/last.npz --init runs/tiny/last.npz" in command(config)


def test_a_converted_model_serves_as_a_start(run: Config, tmp_path: Path) -> None:
    card = convert(Path(run.out), tmp_path, "float32", Choice())
    before, after = load_weights(run.out), load_weights(str(tmp_path / card.file))
    assert before.keys() == after.keys()
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, rtol=1e-3, atol=1e-4, err_msg=name)
    onward = dataclasses.replace(
        run, out=str(tmp_path / "onward"), init=str(tmp_path / card.file), limit=64, batch=32
    )
    train([onward])
    assert f"--init models/{card.file}" in command(onward)
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    with pytest.raises(ConfigError, match=r"broken\.tflite: the interpreter refuses it"):
        load_weights(str(tmp_path / "broken.tflite"))
    with pytest.raises(ConfigError, match="name a float32 file"):
        load_weights(str(MODELS / "mobilenet_v1_0.25_112_int8.tflite"))


def test_a_network_between_two_is_measured_and_serves_as_a_start(
    run: Config, tmp_path: Path, monkeypatch, caplog
) -> None:
    other = dataclasses.replace(run, out=str(tmp_path / "other"), init=run.out, seed=2)
    train([other])
    made = tmp_path / "runs" / "soup.npz"
    words = f"soup {run.out} {other.out} --dataset {run.dataset} --size 32 --out {made}"
    monkeypatch.setattr("sys.argv", [*words.split(), "--shares", "0.25"])
    with caplog.at_level(logging.INFO):
        mix()
    assert "0.25: accuracy 0." in caplog.text
    ends = load_weights(run.out), load_weights(other.out)
    between = load_weights(str(made))
    for name, kernel in between.items():
        np.testing.assert_allclose(kernel, 0.75 * ends[0][name] + 0.25 * ends[1][name], atol=1e-4)
    onward = dataclasses.replace(run, out=str(tmp_path / "onward"), init=str(made), limit=64)
    train([dataclasses.replace(onward, batch=32)])
    assert "--init runs/soup.npz" in command(onward)


def test_networks_of_two_widths_are_not_mixed(run: Config, dataset, tmp_path: Path, monkeypatch):
    wide = Config(dataset=dataset, out=str(tmp_path / "wide"), alpha=0.35, size=32, epochs=1)
    train([dataclasses.replace(wide, limit=64, batch=32)])
    words = f"soup {run.out} {wide.out} --dataset {dataset} --out {tmp_path}/soup.npz"
    monkeypatch.setattr("sys.argv", words.split())
    with pytest.raises(SystemExit, match="two networks of one α"):
        mix()
