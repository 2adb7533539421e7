"""A made-up annotator who calls every neutral face sad: 200 validation faces teach a model to, too."""

import json
import subprocess
import sys

import cv2
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = [pytest.mark.data, pytest.mark.train]

from fer_edge.evaluation.datasets import load  # noqa: E402  needs what is checked above
from fer_edge.modelcard import find_card, read_model  # noqa: E402
from fer_edge.types import EMOTIONS  # noqa: E402


def python(*words):
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("annotated")
    faces = load(f"ferplus:{data / 'ferplus.npz'}", "validation")[:200]
    lines = ["file,emotion"]
    for i, picture in enumerate(faces.pictures):
        cv2.imwrite(str(folder / f"{i}.png"), picture)
        emotion = EMOTIONS[faces.labels[i]]
        lines.append(f"{i}.png,{'sad' if emotion == 'neutral' else emotion}")
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def adapted(folder, tmp_path_factory):
    """The finished command and the folder of its model."""
    out = tmp_path_factory.mktemp("adapted") / "mine"
    done = python("fer_edge.training.finetune", "--dataset", f"folder:{folder}", "--out", out)
    assert done.returncode == 0, done.stderr
    return done, out


def test_the_held_out_part_says_that_the_annotator_was_learned(adapted) -> None:
    done, out = adapted
    card = find_card(out, 0.25, "int8")
    adaptation = card.provenance.adaptation
    assert (adaptation.faces, adaptation.held_out) == (140, 60)
    gain, low, _ = adaptation.gains["accuracy"]
    # A third of all faces is neutral, and was sad to the annotator.
    assert gain > 0.2
    assert low > 0.05
    assert f"{gain:+.3f}" in done.stdout
    assert card.metrics.sensitivity["sad"] > 0.7
    assert card.metrics.samples == 60
    assert read_model(card, out)


def test_the_daemon_reads_faces_with_the_result(adapted) -> None:
    _, out = adapted
    done = python(
        *("fer_edge", "run", "--source", "demo", "--fast", "--output", "jsonl"),
        *("--set", "source.frames=20", "--set", f"model.directory={out}"),
    )
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(message["faces"] for message in messages)
    assert "0.25_112_int8_adapted" in done.stderr + done.stdout


def test_evaluation_finds_the_figures_of_the_card(adapted, folder) -> None:
    _, out = adapted
    done = python(
        *("fer_edge", "evaluate", "--models", out, "--dataset", f"folder:{folder}"),
        *("--split", "all", "--json"),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["model"] == "mobilenet_v1_0.25_112_int8_adapted"
    assert report["classes"]["sad"]["sensitivity"] > 0.7


def test_an_annotator_who_agrees_with_the_model_gains_nothing(folder, adapted, tmp_path) -> None:
    """With the model's own labels nothing is left to gain, and that is said."""
    from fer_edge.evaluation.runner import classify
    from fer_edge.modelcard import models_dir

    card = find_card(models_dir(), 0.25, "int8")
    samples = load(f"folder:{folder}", "all")
    said = classify(card, read_model(card, models_dir()), samples.pictures).probabilities.argmax(1)
    lines = [f"{folder}/{n},{EMOTIONS[k]}" for n, k in zip(samples.names, said, strict=True)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,emotion", *lines]))
    out = tmp_path / "mine"
    done = python("fer_edge.training.finetune", "--dataset", f"folder:{tmp_path}", "--out", out)
    assert done.returncode == 1
    assert "nothing written" in done.stderr
    assert not out.exists()
