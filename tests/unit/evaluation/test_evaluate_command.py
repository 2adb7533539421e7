"""`fer-edge evaluate` with a shipped model on a public face, mirrored, turned and shaded."""

import json
import sys

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from fer_edge.calibration import with_temperature
from fer_edge.cli import app
from fer_edge.errors import ConfigError, SinkError
from fer_edge.evaluation.datasets import load
from fer_edge.evaluation.measure import differences, evaluate, measure
from fer_edge.evaluation.runner import classify
from fer_edge.modelcard import find_card, models_dir, read_model

EMOTIONS = ("happy", "happy", "happy", "neutral", "happy", "sad")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> str:
    from skimage import data

    folder = tmp_path_factory.mktemp("faces")
    crop = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)[66:161, 177:272]
    made = [crop, crop[:, ::-1], crop // 2, 255 - crop, crop[4:, 4:], np.rot90(crop)]
    lines = ["file,emotion,valence,arousal"]
    for i, (picture, emotion) in enumerate(zip(made, EMOTIONS, strict=True)):
        cv2.imwrite(str(folder / f"{i}.png"), picture)
        lines.append(f"{i}.png,{emotion},{0.5 - i / 10:.1f},0.2")
    (folder / "labels.csv").write_text("\n".join(lines))
    return f"folder:{folder}"


def run(*words: str):
    return CliRunner().invoke(app, ["evaluate", *words])


def test_json_has_every_figure_of_the_file_itself(dataset) -> None:
    done = run("--dataset", dataset, "--split", "all", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    card = find_card(models_dir(), 0.25, "int8")
    assert report["sha256"] == card.sha256
    figures = report["figures"]
    assert figures["samples"] == 6
    assert set(figures["sensitivity"]) == {"happy", "neutral", "sad"}
    # The astronaut smiles, in the mirror too.
    assert figures["sensitivity"]["happy"] >= 0.75
    assert np.array(report["confusion"]).sum() == 6
    assert report["classes"]["fear"]["sensitivity"] is None
    assert report["classes"]["happy"]["samples"] == 4
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p95"]
    assert report["not_as_the_card_states"] is None
    assert figures["intervals"]["valence.rmse"]


@pytest.mark.parametrize("form", [[], ["--markdown"]])
def test_people_read_the_same_figures(dataset, form) -> None:
    done = run("--dataset", dataset, "--split", "all", *form)
    assert done.exit_code == 0, done.output
    figures = json.loads(run("--dataset", dataset, "--split", "all", "--json").stdout)["figures"]
    for value in (figures["accuracy"], figures["macro_f1"], figures["valence"]["ccc"]):
        assert f"{value:.4f}" in done.stdout
    assert ("|---|" in done.stdout.replace(" ", "")) == bool(form)


def test_tables_and_pictures_go_into_a_folder(dataset, tmp_path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `report`")
    done = run("--dataset", dataset, "--split", "all", "--out", str(tmp_path / "new"))
    assert done.exit_code == 0, done.output
    name = "mobilenet_v1_0.25_112_int8"
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        f"{name}.json",
        f"{name}.md",
        f"{name}_confusion.png",
        f"{name}_circumplex.png",
        f"{name}_reliability.png",
    }
    for path in (tmp_path / "new").glob("*.png"):
        picture = cv2.imread(str(path))
        assert min(picture.shape[:2]) > 800
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_pictures_without_matplotlib_are_refused_before_anything_is_measured(
    dataset, tmp_path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run("--dataset", dataset, "--out", str(tmp_path / "new"))
    assert isinstance(done.exception, ConfigError)
    assert "pip install 'fer-edge[report]'" in str(done.exception)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_is_named(dataset, tmp_path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `report`")
    (tmp_path / "taken").write_text("")
    done = run("--dataset", dataset, "--split", "all", "--out", str(tmp_path / "taken"))
    assert isinstance(done.exception, SinkError)
    assert "choose another folder" in str(done.exception)


def test_a_split_without_pictures_is_refused(dataset, tmp_path) -> None:
    (tmp_path / "labels.csv").write_text("file,emotion\n")
    done = run("--dataset", f"folder:{tmp_path}", "--split", "all")
    assert isinstance(done.exception, ConfigError)
    assert "no usable picture" in str(done.exception)


def test_mirror_images_are_averaged_in_and_said_to_be(dataset, tmp_path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `report`")
    done = run("--dataset", dataset, "--split", "all", "--mirror", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert "mirror image" in done.stdout
    name = "mobilenet_v1_0.25_112_int8_mirror"
    assert {path.suffix for path in tmp_path.glob(f"{name}*")} == {".json", ".md", ".png"}
    report = json.loads((tmp_path / f"{name}.json").read_text())
    assert report["mirror"] is True
    assert report["not_as_the_card_states"] is None

    card = find_card(models_dir(), 0.25, "int8")
    said = [
        classify(card, read_model(card, models_dir()), load(dataset, "all").pictures, mirror=mirror)
        for mirror in (True, False)
    ]
    # The second picture is the first one's mirror image: each is now read as both are.
    for both, alone in zip(*(vars(one).values() for one in said), strict=True):
        if both.ndim == 2:  # what was said, not how long it took
            assert both[0] == pytest.approx(both[1], abs=1e-6)
            mean = (alone[0] + alone[1]) / 2
            if len(mean) == 8:
                mean = with_temperature(mean, card.averaged_temperature)
            assert both[0] == pytest.approx(mean, abs=1e-6)
    once = said[1].valence_arousal
    assert np.abs(once[0] - once[1]).max() > 1e-3


def test_unknown_valence_and_arousal_leave_no_figures(dataset, tmp_path) -> None:
    folder = dataset.removeprefix("folder:")
    (tmp_path / "labels.csv").write_text(f"file,emotion\n{folder}/0.png,happy\n")
    done = run("--dataset", f"folder:{tmp_path}", "--split", "all", "--json")
    figures = json.loads(done.stdout)["figures"]
    assert figures["valence"] is None
    assert figures["accuracy"] == 1


def test_the_card_is_compared_only_where_it_speaks_of_the_same_pictures(dataset) -> None:
    card = find_card(models_dir(), 0.25, "int8")
    figures = measure(card, read_model(card, models_dir()), load(dataset, "all"))
    assert differences(card, figures) is None
    assert differences(card.model_copy(update={"metrics": figures}), figures) == []
    worse = figures.model_copy(update={"accuracy": 0.1})
    assert differences(card.model_copy(update={"metrics": figures}), worse) == ["accuracy"]


def test_every_picture_is_counted_once(dataset) -> None:
    card = find_card(models_dir(), 0.25, "int8")
    seen = []
    model = read_model(card, models_dir())
    evaluate(card, model, load(dataset, "all"), advance=lambda: seen.append(1))
    assert len(seen) == 6
