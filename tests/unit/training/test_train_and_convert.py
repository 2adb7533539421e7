import dataclasses
import json
import logging
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("keras", reason="needs the extra `train`")
pytest.importorskip("tensorflow", reason="needs the extra `train`")
pytestmark = [
    pytest.mark.train,
    # Keras and TensorFlow, not this code, lag behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

from fer_edge.affect.tflite import import_interpreter  # noqa: E402
from fer_edge.cli import app  # noqa: E402
from fer_edge.errors import ConfigError  # noqa: E402
from fer_edge.evaluation.datasets import load  # noqa: E402
from fer_edge.evaluation.measure import measure  # noqa: E402
from fer_edge.modelcard import load_card, read_model  # noqa: E402  needs what is checked above
from fer_edge.preprocess import to_tensor  # noqa: E402
from fer_edge.training.average import averages  # noqa: E402
from fer_edge.training.convert import command, convert  # noqa: E402
from fer_edge.training.export import deployable, to_tflite  # noqa: E402
from fer_edge.training.folded import fold, load_weights  # noqa: E402
from fer_edge.training.network import build, convolutions  # noqa: E402
from fer_edge.training.operating_point import compare, prior_of, towards_rare  # noqa: E402
from fer_edge.training.options import Config, arguments, input_spec, load_config  # noqa: E402
from fer_edge.training.soup import main as mix  # noqa: E402
from fer_edge.training.train import start, train  # noqa: E402
from fer_edge.training.widths import main as train_widths  # noqa: E402

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory) -> Config:
    """Two steps of training: one epoch of two batches."""
    out = tmp_path_factory.mktemp("runs") / "tiny"
    config = Config(dataset=dataset, out=str(out), size=32, epochs=1, batch=128)
    train(config)
    return config


def test_training_saves_weights_configuration_and_log(run: Config) -> None:
    out = Path(run.out)
    assert Config(**json.loads((out / "config.json").read_text())) == run
    (line,) = (out / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["epoch"] == 0
    assert 0 <= json.loads(line)["accuracy"] <= 1
    assert (out / "best.weights.h5").is_file()


def test_training_goes_on_where_it_stopped(run: Config) -> None:
    out = Path(run.out)
    before = (out / "log.jsonl").read_text()
    train(run)
    assert (out / "log.jsonl").read_text() == before, "a finished run has nothing left to do"


def test_every_other_way_to_train_runs(run: Config, dataset, tmp_path: Path) -> None:
    """The thesis' recipe and the newer ingredients, from and with the first run."""
    config = Config(
        dataset=dataset,
        out=str(tmp_path / "other"),
        size=40,
        channels=3,
        alpha=0.35,
        init=run.out,
        teacher=f"{run.out},{run.out}",
        epochs=2,
        small=32,
        small_epochs=1,
        optimizer="rmsprop",
        rate=1e-4,
        rate_decay=0.85,
        class_weights="balanced",
        sampling=0.5,
        va_loss="cross-entropy",
        va_regions=7,
        augment="thesis",
        change="rotation_deg=5",
        mixup=0.2,
        average=0.0,
        limit=128,
        batch=64,
    )
    train(config)
    lines = [json.loads(line) for line in (Path(config.out) / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1]
    assert all(np.isfinite(line["loss"]) for line in lines)
    assert json.loads((Path(config.out) / "recipe.json").read_text())["rotation_deg"] == 5
    assert list((Path(config.out) / "tensorboard").iterdir())
    words = command(config).split()
    assert words[words.index("--teacher") + 1] == "runs/tiny,runs/tiny"
    assert words[words.index("--change") + 1] == "rotation_deg=5"


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
    )
    said = arguments(shlex.split(command(config))[3:])
    assert dataclasses.replace(said, dataset=config.dataset) == config


def test_a_data_set_without_a_picture_is_refused_before_anything_is_written(tmp_path) -> None:
    (tmp_path / "labels.csv").write_text("file,emotion\n")
    with pytest.raises(ConfigError, match="no picture in the split train"):
        train(Config(dataset=f"folder:{tmp_path}", out=str(tmp_path / "run")))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_conversion_makes_a_model_and_a_card_that_evaluation_reproduces(
    run: Config, precision, tmp_path: Path
) -> None:
    card = convert(run, Path(run.out) / "best.weights.h5", tmp_path, precision)
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


def test_an_int8_file_tells_apart_what_is_nearly_as_probable(run: Config) -> None:
    shipped = str(MODELS / "mobilenet_v1_0.25_112_float32.tflite")
    samples, spec = load(run.dataset, "test"), input_spec(run.size)
    network = deployable(start(dataclasses.replace(run, init=shipped), samples, spec))
    pictures = to_tensor(list(samples.pictures), spec)
    interpreter = import_interpreter()(model_content=to_tflite(network, "int8", pictures))
    whole = [t for t in interpreter.get_tensor_details() if t["dtype"] == np.int8]
    assert len([t for t in whole if len(t["shape"]) == 4]) >= 2 * len(convolutions()), (
        "the kernels and the maps"
    )
    say = interpreter.get_signature_runner()
    (name,) = say.get_input_details()
    said = np.concatenate([say(**{name: one[np.newaxis]})["emotion"] for one in pictures])
    assert np.abs(256 * said - np.round(256 * said)).max() > 0.1
    exact = network.predict(pictures, verbose=0)["emotion"]
    assert np.abs(said - exact).max() < 0.1


def test_a_share_for_rare_classes_moves_the_model_and_stands_in_the_card(
    run: Config, tmp_path: Path
) -> None:
    weights = Path(run.out) / "best.weights.h5"
    plain = convert(run, weights, tmp_path / "plain", "float32")
    moved = convert(run, weights, tmp_path / "moved", "float32", rare_share=0.5)
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
    card = convert(run, Path(run.out) / "best.weights.h5", tmp_path, "float32")
    stated = card.provenance.validation
    head, rows = compare(run.dataset, tmp_path)
    (unmoved,) = (dict(zip(head, row, strict=True)) for row in rows if row[0] == "0")
    assert unmoved["accuracy"] == f"{stated['accuracy']:.3f}"
    assert unmoved["macro F1"] == f"{stated['macro_f1']:.3f}"
    weights = Path(run.out) / "best.weights.h5"
    moved = convert(run, weights, tmp_path / "moved", "float32", rare_share=0.5)
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
    last = Path(run.out) / "last.npz"
    card = convert(run, last, tmp_path, "float32")
    assert card.provenance.conversion_command.endswith(" --precision float32 --last")
    network = build(run.alpha, size=run.size)
    network.set_weights(averages(last))
    stored = load_weights(str(tmp_path / card.file))
    for name, values in fold(network).items():
        np.testing.assert_allclose(stored[name], values, rtol=1e-3, atol=1e-4, err_msg=name)


def test_the_last_epoch_of_a_run_serves_as_a_teacher_and_as_a_start(
    run: Config, tmp_path: Path
) -> None:
    last = Path(run.out) / "last.npz"
    network = build(run.alpha, size=run.size)
    network.set_weights(averages(last))
    for name, weights in fold(network).items():
        np.testing.assert_array_equal(load_weights(str(last))[name], weights)
    # Another size than the run's, at which the teacher is asked.
    config = dataclasses.replace(
        run, out=str(tmp_path / "taught"), size=40, teacher=str(last), init=str(last), limit=128
    )
    train(config)
    assert "--teacher runs/tiny/last.npz --init runs/tiny/last.npz" in command(config)


def test_a_converted_model_serves_as_a_start(run: Config, tmp_path: Path) -> None:
    weights = Path(run.out) / "best.weights.h5"
    card = convert(run, weights, tmp_path, "float32")
    before, after = load_weights(run.out), load_weights(str(tmp_path / card.file))
    assert before.keys() == after.keys()
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, rtol=1e-3, atol=1e-4, err_msg=name)
    onward = dataclasses.replace(
        run, out=str(tmp_path / "onward"), init=str(tmp_path / card.file), limit=64, batch=32
    )
    train(onward)
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
    train(other)
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
    train(dataclasses.replace(onward, batch=32))
    assert "--init runs/soup.npz" in command(onward)


def test_networks_of_two_widths_are_not_mixed(run: Config, dataset, tmp_path: Path, monkeypatch):
    wide = Config(dataset=dataset, out=str(tmp_path / "wide"), alpha=0.35, size=32, epochs=1)
    train(dataclasses.replace(wide, limit=64, batch=32))
    words = f"soup {run.out} {wide.out} --dataset {dataset} --out {tmp_path}/soup.npz"
    monkeypatch.setattr("sys.argv", words.split())
    with pytest.raises(SystemExit, match="two networks of one α"):
        mix()


def test_widths_are_trained_from_the_widest_and_not_twice(
    dataset, tmp_path: Path, monkeypatch, caplog
) -> None:
    words = (
        f"widths --dataset {dataset} --out {tmp_path} --size 32 --epochs 1 --limit 64 --batch 32"
    )
    monkeypatch.setattr("sys.argv", [*words.split(), "--alphas", "0.25,1.0"])
    caplog.set_level("INFO", logger="fer_edge")
    train_widths()
    teacher, taught = (load_config(tmp_path / name) for name in ("1", "0.25"))
    assert (teacher.alpha, teacher.epochs, teacher.teacher) == (1.0, 1, "")
    assert (taught.alpha, taught.epochs, taught.share) == (0.25, 2, 0.5)
    assert taught.teacher == taught.init == teacher.out
    before = (tmp_path / "0.25" / "last.npz").stat().st_mtime_ns
    caplog.clear()
    train_widths()
    assert [record.getMessage() for record in caplog.records] == [
        f"α = 1 is done: {teacher.out}",
        f"α = 0.25 is done: {taught.out}",
    ]
    assert (tmp_path / "0.25" / "last.npz").stat().st_mtime_ns == before
    monkeypatch.setattr("sys.argv", [*words.split(), "--alphas", "0.3"])
    with pytest.raises(SystemExit, match=r"--alphas 0\.3: choose of 0\.25, 0\.35"):
        train_widths()
