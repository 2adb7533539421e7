"""Hard conditions: every change does what it says, and a model is measured under all of them."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from fer_edge.cli import app
from fer_edge.evaluation.robust import CONDITIONS, SIDE, Robustness, changed, rows_of


@pytest.fixture
def face() -> np.ndarray:
    """48 x 48 with something everywhere."""
    across, down = np.meshgrid(np.arange(48), np.arange(48))
    waves = 60 * np.sin(across / 5) * np.cos(down / 7)
    return (110 + across + waves).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_stronger_condition_changes_more_and_the_same_one_the_same(face, name) -> None:
    plain = cv2.resize(face, (SIDE, SIDE)).astype(int)
    strengths = CONDITIONS[name][1]
    assert len(strengths) == 3
    distances = []
    for strength in strengths:
        (made,) = changed([face], name, strength)
        (again,) = changed([face], name, strength)
        np.testing.assert_array_equal(made, again)
        assert made.dtype == np.uint8
        enlarged = cv2.resize(made, (SIDE, SIDE)).astype(int)
        distances.append(np.abs(enlarged - plain).mean())
    assert 0 < distances[0] < distances[1] < distances[2]


def test_a_low_box_shows_the_face_higher_up(face) -> None:
    (made,) = changed([face], "low", 0.12)
    plain = cv2.resize(face, (SIDE, SIDE))
    np.testing.assert_array_equal(made[: SIDE - 13], plain[13:])


def test_relative_accuracy_counts_every_condition_alike() -> None:
    half = dict.fromkeys(CONDITIONS, (0.4, 0.4, 0.4))
    assert Robustness("x", 1, 0.8, half).relative == pytest.approx(0.5)
    rows = rows_of([Robustness("x", 1, 0.8, half)])
    assert len(rows) == len(CONDITIONS) + 3
    assert rows[-1][1] == "0.500"


def test_the_command_measures_two_folders_and_draws(face, tmp_path) -> None:
    lines = ["file,emotion"]
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.roll(face, number, 1))
        lines.append(f"{number}.png,{('happy', 'sad')[number % 2]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    words = f"evaluate --robust --dataset folder:{tmp_path} --split all --out {tmp_path}/out"
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 0, done.output
    assert "mean of all, relative to clean" in done.stdout
    picture = cv2.imread(str(tmp_path / "out" / "robust_0.25_int8.png"))
    assert picture is not None
    assert picture.std() > 5
    from fer_edge.modelcard import models_dir

    words = f"evaluate --robust --dataset folder:{tmp_path} --split all --against {models_dir()}"
    done = CliRunner().invoke(app, [*words.split(), "--json"])
    one, other = json.loads(done.stdout)
    assert one["accuracy"] == other["accuracy"]
    assert set(one["accuracy"]) == set(CONDITIONS)
