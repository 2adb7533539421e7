import json
from pathlib import Path

import cv2
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

from fer_edge.cli import app  # noqa: E402
from fer_edge.evaluation.datasets import load  # noqa: E402
from fer_edge.evaluation.measure import measure  # noqa: E402
from fer_edge.modelcard import load_card, read_model  # noqa: E402  needs what is checked above
from fer_edge.training.convert import convert  # noqa: E402
from fer_edge.training.options import Config  # noqa: E402
from fer_edge.training.train import train  # noqa: E402


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> str:
    """256 pictures to train on, 64 to judge and 64 to test: each class a level of grey."""
    rng = np.random.default_rng(0)
    split = np.repeat([0, 1, 2], [256, 64, 64]).astype(np.uint8)
    labels = np.arange(len(split)) % 8
    encoded = []
    for label in labels:
        picture = rng.normal(30 + 28 * label, 8, (48, 48)).clip(0, 255).astype(np.uint8)
        encoded.append(cv2.imencode(".webp", picture)[1].ravel())
    votes = np.zeros((len(split), 10), np.uint8)
    votes[np.arange(len(split)), labels] = 10
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(
        path,
        blob=np.concatenate(encoded),
        offsets=np.cumsum([0, *map(len, encoded)]),
        split=split,
        votes=votes,
        duplicate_of_train=np.zeros(len(split), bool),
        valence=(labels / 10).astype(np.float32),
        arousal=(labels / -10).astype(np.float32),
        name=np.array([f"{i}.png" for i in range(len(split))]),
    )
    return f"ferplus:{path}"


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
