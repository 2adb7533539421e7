import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from fer_edge.evaluation.datasets import Pictures, load  # noqa: E402  needs what is checked above
from fer_edge.evaluation.runner import Predictions  # noqa: E402
from fer_edge.modelcard import find_card, models_dir, read_model  # noqa: E402
from fer_edge.training import finetune as module  # noqa: E402
from fer_edge.training.adapt import folds_of, learn  # noqa: E402
from fer_edge.training.finetune import held_out_rows, main, parts_of  # noqa: E402
from fer_edge.training.gains import gains  # noqa: E402
from fer_edge.training.heads import (  # noqa: E402
    Head,
    features_of,
    read_heads,
    with_heads,
)

NEUTRAL, SAD = 0, 2


@pytest.fixture
def own_set(tmp_path):
    """Blurred noise, bright (happy) or dark (sad), of 12 persons, as a folder."""
    rng = np.random.default_rng(0)
    lines = ["file,emotion,person,valence,arousal"]
    for i in range(24):
        picture = cv2.GaussianBlur(rng.normal(128, 60, (48, 48)), (0, 0), 1 + 3 * (i % 2))
        cv2.imwrite(str(tmp_path / f"{i}.png"), picture.clip(0, 255).astype(np.uint8))
        lines.append(f"{i}.png,{('happy', 'sad')[i % 2]},p{i // 2},{0.5 - i % 2},0")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return f"folder:{tmp_path}"


def call(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["finetune", *map(str, words)])
    main()


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_features_and_heads_are_those_of_the_file(own_set, precision) -> None:
    card = find_card(models_dir(), 0.25, precision)
    content = read_model(card, models_dir())
    samples = load(own_set, "all")[:4]
    heads = read_heads(card, content)
    features = features_of(card, content, samples.pictures)
    from fer_edge.evaluation.runner import classify

    plain = card.model_copy(update={"temperature": 1.0})
    said = classify(plain, content, samples.pictures)
    logits = heads.emotion(features)
    made = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    # Other kernels round int8 another way.
    np.testing.assert_allclose(made, said.probabilities, atol=0.02)
    plane = np.tanh(heads.valence_arousal(features))
    np.testing.assert_allclose(plane, said.valence_arousal, atol=0.02)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_heads_are_replaced_in_place(own_set, precision) -> None:
    card = find_card(models_dir(), 0.25, precision)
    content = read_model(card, models_dir())
    heads = read_heads(card, content)
    assert with_heads(card, content, heads) == content
    bias = heads.emotion.bias + np.arange(8)
    moved = replace(heads, emotion=Head(heads.emotion.kernel, bias))
    changed = with_heads(card, content, moved)
    assert len(changed) == len(content)
    differing = np.frombuffer(content, np.uint8) != np.frombuffer(changed, np.uint8)
    assert 0 < differing.sum() <= 8 * 4
    np.testing.assert_allclose(read_heads(card, changed).emotion.bias, bias, atol=0.01)


def test_a_strong_hold_keeps_the_head_and_a_weak_one_learns() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 5))
    right = np.eye(8, dtype=np.float32)[(features[:, 0] > 0).astype(int)]
    old = Head(np.zeros((5, 8)), np.zeros(8))
    from fer_edge.training.adapt import _cross_entropy

    def accuracy(strength):
        head = learn(old, features, right, strength, _cross_entropy(1.0))
        return (head(features).argmax(1) == right.argmax(1)).mean(), np.abs(head.kernel).max()

    assert accuracy(1e-4)[0] > 0.97
    assert accuracy(100.0)[1] < 0.01
    assert learn(old, features, right, float("inf"), _cross_entropy(1.0)) is old


def test_nobody_is_on_both_sides(own_set) -> None:
    samples = load(own_set, "all")
    parts = parts_of(samples)
    assert len(np.unique(parts)) == 12
    held = held_out_rows(parts, 0.3, 0)
    assert 0.3 <= held.mean() <= 0.4
    assert not set(parts[held]) & set(parts[~held])
    assert (held_out_rows(parts, 0.3, 0) == held).all()
    assert (held_out_rows(parts, 0.3, 1) != held).any()
    folds = folds_of(parts, 0)
    assert all(len(set(folds[parts == part])) == 1 for part in parts)
    by_file = parts_of(replace(samples, persons=None))
    assert len(np.unique(by_file)) == 24


def test_gains_by_hand(own_set) -> None:
    """Four faces: one right before, three after; errors of valence .5 before, 0 after."""
    samples = load(own_set, "all")[:4]
    samples = replace(samples, pictures=Pictures([]))

    def said(right, valence):
        probabilities = np.full((4, 8), 0.01, np.float32)
        wrong = (samples.labels + 1) % 8
        chosen = np.where(np.arange(4) < right, samples.labels, wrong)
        probabilities[np.arange(4), chosen] = 0.93
        return Predictions(probabilities, np.stack([valence, np.zeros(4)], 1), np.zeros(4))

    truth = samples.valence_arousal[:, 0]
    found = {g.name: g for g in gains(samples, np.arange(4), said(1, truth + 0.5), said(3, truth))}
    assert (found["accuracy"].before, found["accuracy"].after) == (0.25, 0.75)
    assert found["accuracy"].gain == pytest.approx(0.5)
    assert found["accuracy"].interval[0] == 0
    assert found["log loss"].gain == pytest.approx(0.5 * np.log(93), rel=1e-5)
    assert found["RMSE valence"].gain == pytest.approx(0.5)
    assert found["RMSE valence"].sure
    assert found["RMSE arousal"].gain == 0


def test_too_small_a_set_is_said_to_be_and_writes_nothing(
    own_set, tmp_path, monkeypatch, capsys
) -> None:
    out = tmp_path / "mine"
    with pytest.raises(SystemExit, match=r"24 faces of 12 persons.* too few.*nothing written"):
        call(monkeypatch, "--dataset", own_set, "--out", out)
    assert not out.exists()
    assert "| accuracy |" in capsys.readouterr().out
    call(monkeypatch, "--dataset", own_set, "--out", out, "--force")
    card = find_card(out, 0.25, "int8")
    assert read_model(card, out)
    adaptation = card.provenance.adaptation
    assert adaptation.faces + adaptation.held_out == 24
    assert adaptation.by == "person"
    assert card.metrics.samples == adaptation.held_out
    assert adaptation.model_sha256 == find_card(models_dir(), 0.25, "int8").sha256


def test_the_set_is_known_again_by_its_hash(own_set) -> None:
    samples = load(own_set, "all")
    assert module.digest_of(samples) == module.digest_of(load(own_set, "all"))
    other = replace(samples, labels=(samples.labels + 1) % 8)
    assert module.digest_of(other) != module.digest_of(samples)


def test_models_of_one_width_do_not_share_a_folder(own_set, tmp_path, monkeypatch) -> None:
    with pytest.raises(SystemExit, match="is there too; name a folder of its own"):
        call(monkeypatch, "--dataset", own_set, "--out", models_dir(), "--force")


def test_a_person_must_be_named_in_every_row(own_set, tmp_path, monkeypatch) -> None:
    (tmp_path / "labels.csv").write_text("file,emotion,person\n0.png,happy,\n")
    with pytest.raises(SystemExit, match=r"labels\.csv: line 2: person: empty; name who"):
        call(monkeypatch, "--dataset", own_set, "--out", tmp_path / "mine")


def test_one_person_cannot_be_held_out(own_set, tmp_path, monkeypatch) -> None:
    (tmp_path / "labels.csv").write_text("file,emotion,person\n0.png,happy,a\n1.png,sad,a\n")
    with pytest.raises(SystemExit, match="too few to hold some out: label more"):
        call(monkeypatch, "--dataset", own_set, "--out", tmp_path / "mine")
