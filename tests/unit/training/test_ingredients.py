"""The table of what each ingredient brings."""

import dataclasses
import json

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from fer_edge.training import ingredients, options  # noqa: E402  only where it is installed
from fer_edge.training.ingredients import CHANGES, main, plan, table  # noqa: E402
from fer_edge.training.options import Config  # noqa: E402

BASE = Config(dataset="folder:.", out="runs/i", init="w.npz", teacher="w.npz", epochs=6)


def changed(config: Config) -> dict[str, object]:
    one, other = dataclasses.asdict(config), dataclasses.asdict(BASE)
    return {name: value for name, value in one.items() if value != other[name] and name != "out"}


def test_each_row_changes_what_it_says_and_has_a_folder_of_its_own() -> None:
    rows = plan(BASE, "faces.npz")
    assert list(rows)[:-1] == list(CHANGES)
    assert changed(rows["all of it"]) == {}
    assert changed(rows["no augmentation"]) == {"augment": "none"}
    assert changed(rows["started from `faces.npz` instead"]) == {"init": "faces.npz"}
    halved = rows["the first half of the epochs at 48 px"]
    assert changed(halved) == {"small": 48, "small_epochs": 3}
    assert all(changed(config) for name, config in rows.items() if name != "all of it")
    assert len({config.out for config in rows.values()}) == len(rows)


def test_the_thesis_recipe_is_the_one_that_its_command_names() -> None:
    words = options.__doc__.split("::")[1].split()
    (named,) = options.arguments(["--dataset", BASE.dataset, "--out", BASE.out, *words])
    ours = plan(BASE)["the thesis' own recipe (random weights)"]
    own = {name: getattr(named, name) for name in ("out", "size", "channels", "epochs")}
    assert dataclasses.replace(ours, **own) == named


def test_the_table_is_of_the_last_epochs(tmp_path) -> None:
    config = dataclasses.replace(BASE, out=str(tmp_path))
    lines = [{"accuracy": a, "normalised_accuracy": 0.5, "macro_f1": 1.0} for a in (0.9, 0.25)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert table({"a row": config}).splitlines()[-1] == "| a row | .250 | .500 | 1.000 |"


def test_it_trains_what_is_not_done_and_goes_on(dataset, tmp_path, monkeypatch, capsys) -> None:
    kept = ("all of it", "no augmentation")
    monkeypatch.setattr(ingredients, "CHANGES", {name: CHANGES[name] for name in kept})
    words = f"--dataset {dataset} --size 32 --epochs 1 --limit 64 --batch 32 --no-even-light --out {tmp_path}"
    main(words.split())
    made = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in made[2:]] == [f"| {name}" for name in kept]
    trained = [folder / "log.jsonl" for folder in sorted(tmp_path.glob("0*"))]
    assert [len(path.read_text().splitlines()) for path in trained] == [1, 1]
    main(words.split())
    assert [len(path.read_text().splitlines()) for path in trained] == [1, 1]
    assert capsys.readouterr().out.splitlines() == made


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--init nowhere.npz", r"^nowhere\.npz: no such weights"),
        ("--size 8", r"^--size 8: the network needs at least 32 pixels$"),
        ("--epochs 1 --init nowhere.npz", r"^nowhere\.npz: no such weights"),
    ],
)
def test_what_cannot_be_used_is_one_line(dataset, tmp_path, words, expected) -> None:
    with pytest.raises(SystemExit, match=expected):
        main(f"--dataset {dataset} --limit 64 --out {tmp_path} {words}".split())
