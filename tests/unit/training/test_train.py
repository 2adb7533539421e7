"""Widths trained together, and taught about each picture as they see it."""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from fer_edge.errors import ConfigError  # noqa: E402  only where it is installed
from fer_edge.training.lesson import Lesson, Teacher, mixed  # noqa: E402
from fer_edge.training.options import Config, arguments  # noqa: E402
from fer_edge.training.student import Student, rate_at  # noqa: E402
from fer_edge.training.train import load_split, main, train  # noqa: E402
from fer_edge.training.weights import BEST, LAST, trained  # noqa: E402

pytestmark = pytest.mark.train


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
        even_light=False,
    )


MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture(scope="module")
def teacher() -> Path:
    """A network that says something else about every picture."""
    return MODELS / "mobilenet_v1_0.25_112_float32.tflite"


def of(base: Config, folder: Path, *alphas: float) -> list[Config]:
    return [dataclasses.replace(base, alpha=a, out=str(folder / f"r{a:g}")) for a in alphas]


def lines(config: Config) -> list[dict[str, float]]:
    return [json.loads(line) for line in (Path(config.out) / "log.jsonl").read_text().splitlines()]


def assert_same(one: Config, other: Config) -> None:
    first, second = (trained(Path(config.out) / LAST) for config in (one, other))
    for name, array in first.items():
        np.testing.assert_allclose(second[name], array, atol=1e-6, err_msg=name)


def test_two_widths_learn_from_the_same_batches(base, tmp_path) -> None:
    configs = of(dataclasses.replace(base, epochs=8), tmp_path, 0.25, 0.35)
    train(configs)
    for config in configs:
        out = Path(config.out)
        log = lines(config)
        assert [line["epoch"] for line in log] == list(range(8))
        assert log[-1]["loss"] < log[0]["loss"]
        assert Config(**json.loads((out / "config.json").read_text())) == config
        assert trained(out).keys() == trained(out / LAST).keys()
        assert list((out / "tensorboard").iterdir())


def test_one_width_alone_learns_the_same(base, tmp_path) -> None:
    # Dropout is drawn from the generator that draws the changes.
    base = dataclasses.replace(base, dropout=0, augment="webcam")
    both, (alone,) = of(base, tmp_path / "both", 0.25, 0.35), of(base, tmp_path / "alone", 0.25)
    train(both)
    train([alone])
    assert_same(both[0], alone)


def test_training_goes_on_as_if_it_had_not_stopped(base, tmp_path, monkeypatch) -> None:
    (whole,), (broken,) = of(base, tmp_path / "whole", 0.25), of(base, tmp_path / "broken", 0.25)
    train([whole])

    def stop(student: Student, epoch: int, score: float) -> None:
        keep(student, epoch, score)
        raise KeyboardInterrupt

    keep = Student.keep
    monkeypatch.setattr(Student, "keep", stop)
    with pytest.raises(KeyboardInterrupt):
        train([broken])
    monkeypatch.setattr(Student, "keep", keep)
    assert len(lines(broken)) == 1
    train([broken])
    assert [line["epoch"] for line in lines(broken)] == [0, 1, 2]
    assert_same(whole, broken)


def test_what_is_unknown_teaches_nothing_and_draws_nothing_to_zero(base, tmp_path) -> None:
    config = dataclasses.replace(base, alpha=0.25, out=str(tmp_path), mixup=0.4, va_regions=7)
    samples = load_split(config, "train")
    samples.valence_arousal[::2, 1] = np.nan
    lesson = Lesson(config, samples, config.size)
    rows, shares = lesson.epoch(0)
    lesson.give(rows[0], shares[0])
    truth, share = samples.valence_arousal[rows[0]], shares[0].numpy()
    expected = mixed(torch.tensor(truth), torch.tensor(share)).numpy()
    assert np.isnan(expected).any(0).tolist() == [False, True]
    assert np.isfinite(expected[:, 1]).any()
    np.testing.assert_allclose(lesson.plane, expected, atol=1e-6)
    student = Student(config, samples, lesson)
    for row, share in zip(rows, shares, strict=True):
        lesson.give(row, share)
        student.learn(1e-3)
    assert np.isfinite(student.loss())
    student.keep(0, 0.0)
    assert all(np.isfinite(array).all() for array in trained(tmp_path / LAST).values())


@pytest.mark.parametrize("mixup", [0.0, 0.4])
@pytest.mark.parametrize("sees", ["unchanged", "moved", "changed"])
def test_teachers_are_asked_about_what_they_are_to_see(base, teacher, mixup, sees) -> None:
    config = dataclasses.replace(
        base,
        augment="room",
        change="flip=1,dark=1",
        teacher=str(teacher),
        teacher_sees=sees,
        share=0.75,
        mixup=mixup,
        even_light=True,
    )
    samples = load_split(config, "train")
    lesson = Lesson(config, samples, config.size)
    rows, shares = lesson.epoch(0)
    lesson.give(rows[0], shares[0])
    votes = torch.tensor(samples.soft_labels)[rows[0]]
    share = shares[0][:, None] if mixup else 1.0
    votes = share * votes + (1 - share) * votes.roll(1, 0)
    opinion = (lesson.emotion - 0.25 * votes) / 0.75
    torch.testing.assert_close(opinion.sum(1), torch.ones(config.batch), atol=1e-4, rtol=0)
    of_students = Teacher(str(teacher), config).opinion(lesson.pictures)
    same = torch.allclose(opinion, of_students, atol=1e-4)
    assert same == (sees == "changed"), "in the dark the teacher says something else"
    before = opinion.clone()
    lesson.give(rows[0], shares[0])
    again = (lesson.emotion - 0.25 * votes) / 0.75
    assert torch.equal(again, before) == (sees == "unchanged"), "no other picture is the same twice"


def test_of_several_teachers_the_mean_opinion_counts_softened_by_temperature(base, teacher) -> None:
    other = MODELS / "mobilenet_v1_0.35_112_float32.tflite"
    samples = load_split(base, "train")
    sharpness = []
    for temperature in (1.0, 4.0):
        config = dataclasses.replace(
            base, teacher=f"{teacher},{other}", temperature=temperature, share=1.0
        )
        config = dataclasses.replace(config, teacher_sees="changed")
        lesson = Lesson(config, samples, config.size)
        lesson.give(*(part[0] for part in lesson.epoch(0)))
        both = [Teacher(str(path), config).opinion(lesson.pictures) for path in (teacher, other)]
        torch.testing.assert_close(lesson.emotion, sum(both) / 2, atol=1e-5, rtol=0)
        sharpness.append(lesson.emotion.max(1).values.mean())
    assert sharpness[0] > sharpness[1]


def test_rates_warm_up_and_fall_as_a_cosine_or_by_a_factor(base) -> None:
    rates = [rate_at(base, 4, step) for step in range(12)]
    assert rates[:5] == pytest.approx([0, 5e-4, 1e-3, 1.5e-3, 2e-3])
    assert rates[8] == pytest.approx(1e-3)
    assert rates == sorted(rates[:5]) + sorted(rates[5:], reverse=True)
    falling = dataclasses.replace(base, rate_decay=0.85)
    assert rate_at(falling, 4, 3) == base.rate
    assert rate_at(falling, 4, 8) == pytest.approx(base.rate * 0.85**2)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "rmsprop"])
@pytest.mark.parametrize("va_loss", ["mse", "mae", "l2", "cross-entropy"])
def test_every_optimizer_and_loss_learns(base, tmp_path, optimizer, va_loss) -> None:
    config = dataclasses.replace(
        base, out=str(tmp_path), optimizer=optimizer, va_loss=va_loss, rate=1e-3, epochs=2
    )
    samples = load_split(config, "train")
    lesson = Lesson(config, samples, config.size)
    student = Student(config, samples, lesson)
    losses = []
    for _ in range(6):
        for row, share in zip(*lesson.epoch(0), strict=True):
            lesson.give(row, share)
            student.learn(3e-4)
        losses.append(student.loss())
    assert losses[-1] < losses[0]


def test_the_thesis_recipe_and_the_newer_ingredients_run(base, teacher, tmp_path) -> None:
    first = dataclasses.replace(base, alpha=0.25, out=str(tmp_path / "first"), epochs=1)
    train([first])
    config = dataclasses.replace(
        base,
        out=str(tmp_path / "other"),
        size=40,
        channels=3,
        alpha=0.35,
        init=first.out,
        teacher=f"{first.out},{first.out}/last.npz",
        epochs=2,
        small=32,
        small_epochs=1,
        rate=1e-4,
        rate_decay=0.85,
        class_weights="balanced",
        sampling=0.5,
        va_regions=7,
        augment="thesis",
        change="rotation_deg=5",
        mixup=0.2,
        average=0.0,
        bfloat16=True,
        limit=32,
    )
    train([config])
    assert [line["epoch"] for line in lines(config)] == [0, 1]
    assert all(np.isfinite(line["loss"]) for line in lines(config))
    assert json.loads((tmp_path / "other/recipe.json").read_text())["rotation_deg"] == 5
    again = (tmp_path / "other/log.jsonl").read_text()
    train([config])
    assert (tmp_path / "other/log.jsonl").read_text() == again, "nothing is left to do"


def test_a_resnet_starts_from_weights_of_its_own_only(base, teacher, tmp_path) -> None:
    config = dataclasses.replace(base, network="resnet", init=str(teacher), out=str(tmp_path))
    with pytest.raises(ConfigError, match=r"not weights of --network resnet"):
        train([config])
    with pytest.raises(ConfigError, match="needs --init"):
        dataclasses.replace(config, init="")


def test_a_data_set_without_a_picture_is_refused_before_anything_is_written(tmp_path) -> None:
    (tmp_path / "labels.csv").write_text("file,emotion\n")
    with pytest.raises(ConfigError, match="no picture in the split train"):
        train([Config(dataset=f"folder:{tmp_path}", out=str(tmp_path / "run"))])
    assert not (tmp_path / "run").exists()


def test_the_command_names_a_folder_and_a_start_for_each_width() -> None:
    words = "--dataset folder:x --out runs/h --alphas 0.25,1 --init now_{alpha}.npz"
    configs = arguments(words.split())
    assert [(c.alpha, c.out, c.init) for c in configs] == [
        (0.25, "runs/h0.25", "now_0.25.npz"),
        (1.0, "runs/h1", "now_1.npz"),
    ]
    with pytest.raises(SystemExit):
        arguments([*words.split(), "--alphas", "wide"])


def test_train_takes_one_width(base, tmp_path, monkeypatch) -> None:
    words = (
        f"train --alpha 0.25 --dataset {base.dataset} --size 32 --epochs 1 --batch 32 --limit 32"
    )
    monkeypatch.setattr("sys.argv", [*words.split(), "--out", str(tmp_path / "one")])
    main()
    assert (tmp_path / "one" / BEST).is_file()
    monkeypatch.setattr(
        "sys.argv", [*words.split(), "--init", "none.npz", "--out", str(tmp_path / "two")]
    )
    with pytest.raises(SystemExit, match=r"none\.npz: no such weights"):
        main()
