"""Widths trained together, and taught about each picture as they see it."""

import dataclasses
import json
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import torch

from fer_edge.errors import ConfigError
from fer_edge.training import together
from fer_edge.training.average import averages
from fer_edge.training.batches import mixed
from fer_edge.training.folded import fold
from fer_edge.training.network import build
from fer_edge.training.options import Config
from fer_edge.training.together import arguments, train_together
from fer_edge.training.torch_lesson import Lesson
from fer_edge.training.torch_network import Teacher
from fer_edge.training.torch_student import Student, rate_at
from fer_edge.training.train import load_split, main, optimizer_of

pytestmark = [
    pytest.mark.train,
    # Keras, not this code, lags behind numpy's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Config:
    """64 pictures, half of them brighter, which are happy; the others are neutral."""
    folder = tmp_path_factory.mktemp("together")
    rng = np.random.default_rng(0)
    split, happy = np.repeat([0, 1], [64, 32]), np.arange(96) % 2
    pictures = rng.integers(0, 100, (96, 48, 48)) + 120 * happy[:, None, None]
    blobs = [cv2.imencode(".webp", p.astype(np.uint8))[1].ravel() for p in pictures]
    votes = np.zeros((96, 10), np.uint8)
    votes[np.arange(96), happy] = 10
    path = folder / "ferplus.npz"
    np.savez(
        path,
        blob=np.concatenate(blobs),
        offsets=np.cumsum([0, *map(len, blobs)]),
        split=split.astype(np.uint8),
        votes=votes,
        duplicate_of_train=np.zeros(96, bool),
        valence=happy.astype(np.float32) / 2,
        arousal=np.zeros(96, np.float32),
        name=np.array([f"{i}.png" for i in range(96)]),
    )
    return Config(
        dataset=f"ferplus:{path}",
        out=str(folder / "run"),
        size=32,
        epochs=3,
        batch=16,
        average=0.9,
        augment="none",
        consistent=True,
    )


@pytest.fixture(scope="module")
def teacher(base, tmp_path_factory) -> Path:
    """Folded weights of a network that nobody trained."""
    keras.utils.set_random_seed(5)
    path = tmp_path_factory.mktemp("teacher") / "teacher.npz"
    np.savez(path, **fold(build(0.25, size=base.size)))
    return path


def of(base: Config, folder: Path, *alphas: float) -> list[Config]:
    return [dataclasses.replace(base, alpha=a, out=str(folder / f"r{a:g}")) for a in alphas]


def lines(config: Config) -> list[dict[str, float]]:
    return [json.loads(line) for line in (Path(config.out) / "log.jsonl").read_text().splitlines()]


def test_two_widths_learn_from_the_same_batches(base, tmp_path) -> None:
    configs = of(dataclasses.replace(base, epochs=8), tmp_path, 0.25, 0.35)
    train_together(configs)
    for config in configs:
        out = Path(config.out)
        log = lines(config)
        assert [line["epoch"] for line in log] == list(range(8))
        assert log[-1]["loss"] < log[0]["loss"]
        assert Config(**json.loads((out / "config.json").read_text())) == config
        network = build(config.alpha, size=config.size)
        network.load_weights(out / "best.weights.h5")
        network.set_weights(averages(out / "last.npz"))
        assert list((out / "tensorboard").iterdir())


def test_one_width_alone_learns_the_same(base, tmp_path) -> None:
    # Dropout is drawn from the generator that draws the changes.
    base = dataclasses.replace(base, dropout=0, augment="webcam")
    both, (alone,) = of(base, tmp_path / "both", 0.25, 0.35), of(base, tmp_path / "alone", 0.25)
    train_together(both)
    train_together([alone])
    first, second = (averages(Path(c.out) / "last.npz") for c in (both[0], alone))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_training_goes_on_as_if_it_had_not_stopped(base, tmp_path, monkeypatch) -> None:
    (whole,), (broken,) = of(base, tmp_path / "whole", 0.25), of(base, tmp_path / "broken", 0.25)
    train_together([whole])

    def stop(student: Student, epoch: int, score: float) -> None:
        keep(student, epoch, score)
        raise KeyboardInterrupt

    keep = Student.keep
    monkeypatch.setattr(Student, "keep", stop)
    with pytest.raises(KeyboardInterrupt):
        train_together([broken])
    monkeypatch.setattr(Student, "keep", keep)
    assert len(lines(broken)) == 1
    train_together([broken])
    assert [line["epoch"] for line in lines(broken)] == [0, 1, 2]
    first, second = (averages(Path(c.out) / "last.npz") for c in (whole, broken))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_what_is_unknown_teaches_nothing_and_draws_nothing_to_zero(base, tmp_path) -> None:
    config = dataclasses.replace(base, alpha=0.25, out=str(tmp_path), mixup=0.4, va_regions=7)
    samples = load_split(config, "train")
    samples.valence_arousal[::2, 1] = np.nan
    lesson = Lesson(config, samples)
    rows, shares = lesson.epoch(0)
    lesson.give(rows[0], shares[0])
    truth, share = samples.valence_arousal[rows[0]], shares[0].numpy()
    expected = mixed(truth, share)
    assert np.isnan(expected).any(0).tolist() == [False, True]
    assert np.isfinite(expected[:, 1]).any()
    np.testing.assert_allclose(lesson.plane, expected, atol=1e-6)
    student = Student(config, samples, lesson)
    for row, share in zip(rows, shares, strict=True):
        lesson.give(row, share)
        student.learn(1e-3)
    assert np.isfinite(student.loss())
    student.keep(0, 0.0)
    assert all(np.isfinite(array).all() for array in averages(tmp_path / "last.npz"))


@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_the_teacher_is_asked_about_what_the_students_see(base, teacher, mixup) -> None:
    config = dataclasses.replace(
        base, augment="webcam", teacher=str(teacher), share=0.75, mixup=mixup
    )
    samples = load_split(config, "train")
    lesson = Lesson(config, samples)
    rows, shares = lesson.epoch(0)
    lesson.give(rows[0], shares[0])
    with np.load(teacher) as stored:
        asked = Teacher(dict(stored), size=config.size, device="cpu", kind=torch.float32)
    opinion = asked.logits(lesson.pictures).softmax(1)
    votes = torch.tensor(samples.soft_labels)[rows[0]]
    share = shares[0][:, None] if mixup else 1.0
    votes = share * votes + (1 - share) * votes.roll(1, 0)
    torch.testing.assert_close(lesson.emotion, 0.25 * votes + 0.75 * opinion, atol=1e-4, rtol=0)
    before = lesson.pictures.clone()
    lesson.give(rows[0], shares[0])
    assert (lesson.pictures != before).any(), "a picture is never the same twice"


def test_rates_are_those_of_the_other_way_to_train(base) -> None:
    for changed in ({}, {"rate_decay": 0.85}):
        config = dataclasses.replace(base, **changed)
        schedule = optimizer_of(config, 4)._learning_rate  # Keras has no public way to a schedule.
        wanted = [float(keras.ops.convert_to_numpy(schedule(step))) for step in range(12)]
        assert [rate_at(config, 4, step) for step in range(12)] == pytest.approx(wanted, rel=1e-5)


def test_what_does_not_go_together_is_refused(base) -> None:
    for wrong in ({"optimizer": "adam"}, {"va_loss": "l2"}, {"small": 32, "small_epochs": 1}):
        with pytest.raises(ConfigError, match=r"--consistent: goes with"):
            dataclasses.replace(base, **wrong)


def test_the_command_names_a_folder_for_each_width() -> None:
    configs = arguments(
        ["--dataset", "folder:x", "--out", "runs/h", "--alphas", "0.25,1", "--epochs", "2"]
    )
    assert [(c.alpha, c.out, c.consistent) for c in configs] == [
        (0.25, "runs/h0.25", True),
        (1.0, "runs/h1", True),
    ]


def test_without_pytorch_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "fer_edge.training.together", None)
    monkeypatch.setattr(
        "sys.argv", ["train", "--consistent", "--dataset", "folder:x", "--out", "x"]
    )
    with pytest.raises(SystemExit, match=r"needs PyTorch .*pip install 'fer-edge\[train-torch\]'"):
        main()


def test_train_takes_one_width(base, tmp_path, monkeypatch, capsys) -> None:
    words = (
        f"train --consistent --alpha 0.25 --dataset {base.dataset} --size 32 --epochs 1 --batch 32"
    )
    monkeypatch.setattr("sys.argv", [*words.split(), "--out", str(tmp_path / "one")])
    main()
    assert (tmp_path / "one/best.weights.h5").is_file()
    monkeypatch.setattr(
        "sys.argv", [*words.split(), "--init", "none.npz", "--out", str(tmp_path / "two")]
    )
    with pytest.raises(SystemExit, match=r"none\.npz: no such weights"):
        main()
    monkeypatch.setattr("sys.argv", [*words.split(), "--alphas", "0.25", "--out", "x"])
    with pytest.raises(SystemExit):
        together.main()
