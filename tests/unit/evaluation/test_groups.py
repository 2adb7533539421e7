import json
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from fer_edge.cli import app
from fer_edge.errors import ConfigError
from fer_edge.evaluation.group_tables import groups_markdown, groups_report
from fer_edge.evaluation.groups import Group, by_group, newcombe, read_groups, wilson

NAMES = np.array(["a.png", "b.png", "c.png"])


def evaluated(labels, said, valence=None):
    """An evaluation with these classes."""
    labels, said = np.array(labels), np.array(said)
    plane = np.full((len(labels), 2), np.nan, np.float32)
    if valence is not None:
        plane[:] = np.array(valence)[:, None]
    samples = SimpleNamespace(labels=labels, valence_arousal=plane)
    probabilities = np.eye(8, dtype=np.float32)[said]
    told = np.zeros((len(labels), 2), np.float32)
    predictions = SimpleNamespace(probabilities=probabilities, valence_arousal=told)
    return SimpleNamespace(samples=samples, predictions=predictions)


def written(folder, text):
    path = folder / "groups.csv"
    path.write_text(text)
    return path


def test_wilson_by_hand() -> None:
    """8 of 10: (0.8 + 0.19207) / 1.38415 = 0.71674, less and plus 0.22658."""
    assert wilson(8, 10) == pytest.approx((0.49016, 0.94331), abs=2e-4)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)


def test_newcombe_as_published() -> None:
    """56 of 70 against 48 of 80: Newcombe (1998), Table II, method 10: .0524 to .3339."""
    one, other = Group("a", 70, 56, {}, {}), Group("b", 80, 48, {}, {})
    assert newcombe(one, other) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_figures_by_hand() -> None:
    """Old: 30 of 40 right; young: 36 of 40; two without a group; three of a group too small."""
    labels = [0, 1] * 42 + [0]
    groups = np.array(["old"] * 40 + ["young"] * 40 + ["", ""] + ["child"] * 3)
    said = np.array(labels)
    said[:10] = 5
    said[40:44] = 5
    (column,) = by_group(evaluated(labels, said, np.where(said == 5, 0.5, 0.1)), {"age": groups})
    by_name = {group.name: group for group in column.groups}
    assert {n: (g.right, g.faces) for n, g in by_name.items()} == {
        "child": (3, 3),
        "old": (30, 40),
        "young": (36, 40),
    }
    # 10 of 40 are .5 off, the others .1: the root of (10 · .25 + 30 · .01) / 40.
    assert by_name["old"].figures["valence.rmse"] == pytest.approx(np.sqrt(0.07))
    # 15 of 20 found of each class, never said falsely: F1 = 30 / 35; of the class never right, 0.
    assert by_name["old"].figures["macro_f1"] == pytest.approx((30 / 35 * 2 + 0) / 3)
    assert column.ungrouped == 2
    gap = column.gap
    assert (gap.best, gap.worst) == ("young", "old")
    assert gap.accuracy == pytest.approx(0.15)
    assert gap.interval[0] < 0 < gap.interval[1]
    text = groups_markdown([column])
    assert "too few to say: child." in text
    assert "It may be chance." in text
    assert "Faces without a group: 2." in text
    report = groups_report([column])["age"]
    assert report["groups"]["child"]["too_few_to_say"] is True
    assert report["gap"]["accuracy"] == 0.15


def test_macro_f1_needs_every_class_and_a_gap_two_groups() -> None:
    groups = np.array(["yes"] * 30 + ["no"])
    (column,) = by_group(evaluated([0] * 30 + [1], [0] * 31), {"glasses": groups})
    assert all("macro_f1" not in group.figures for group in column.groups)
    assert column.gap is None
    assert "No gap can be stated" in groups_markdown([column])


def test_groups_are_read_by_file_and_cells_may_be_empty(tmp_path) -> None:
    text = "age,file,glasses\n20-29,b.png,\n30-39, a.png ,yes\n20-29,b.png,\n9,z.png,no\n"
    found = read_groups(written(tmp_path, text), NAMES)
    assert {name: groups.tolist() for name, groups in found.items()} == {
        "age": ["30-39", "20-29", ""],
        "glasses": ["yes", "", ""],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,age\na.png,1\n", "line 1: no column `file`"),
        ("", "line 1: no column `file`"),
        ("file\na.png\n", "line 1: only `file`; add a column"),
        ("file,age,age\na.png,1,2\n", "line 1: a column without a name, or twice the same"),
        ("file,age\na.png\n", "line 2: not as many cells as columns; write 2"),
        ("file,age\na.png,1,2\n", "line 2: not as many cells as columns; write 2"),
        ("file,age\n ,1\n", "line 2: file: empty; name a picture"),
        ("file,age\na.png,1\na.png,2\n", "line 3: age: '2', but '1' in a line before"),
        ("file,age\nq.png,1\n", "column file: no file of the data set is named there"),
    ],
)
def test_bad_files_are_named_with_row_column_and_remedy(tmp_path, text, message) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        read_groups(path, NAMES)
    assert str(raised.value).startswith(f"--groups {path}: {message}")
    assert "\n" not in str(raised.value)


def test_a_number_is_no_group(tmp_path) -> None:
    names = np.array([f"{i}.png" for i in range(30)])
    lines = [f"{name},{i}" for i, name in enumerate(names)]
    path = written(tmp_path, "\n".join(["file,age", *lines]))
    with pytest.raises(ConfigError, match="column age: 30 different values; write at most 20"):
        read_groups(path, names)


def test_a_missing_or_binary_file_is_one_line(tmp_path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory; name a CSV file"):
        read_groups(tmp_path / "none.csv", NAMES)
    (tmp_path / "x.csv").write_bytes(b"file,age\n\xff\xfe,1\n")
    with pytest.raises(ConfigError, match="save it as CSV in UTF-8"):
        read_groups(tmp_path / "x.csv", NAMES)


@pytest.mark.parametrize("form", ["--json", "--markdown", None])
def test_the_command_prints_groups(tmp_path, face, form) -> None:
    import cv2

    for name in "ab":
        cv2.imwrite(str(tmp_path / f"{name}.png"), face)
    (tmp_path / "labels.csv").write_text("file,emotion\na.png,happy\nb.png,sad\n")
    path = written(tmp_path, "file,glasses\na.png,yes\nb.png,no\n")
    words = ["--dataset", f"folder:{tmp_path}", "--split", "all", "--groups", str(path)]
    done = CliRunner().invoke(app, ["evaluate", *words, *([form] if form else [])])
    assert done.exit_code == 0, done.output
    if form == "--json":
        groups = json.loads(done.stdout)["groups"]["glasses"]["groups"]
        assert {name: one["accuracy"] for name, one in groups.items()} == {"no": 0.0, "yes": 1.0}
    else:
        assert "| yes | 1 | 1.000" in done.stdout
        assert "too few to say: no, yes." in done.stdout
