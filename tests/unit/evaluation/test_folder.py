import cv2
import numpy as np
import pytest

from fer_edge.errors import ConfigError
from fer_edge.evaluation.datasets import load


@pytest.fixture
def folder(tmp_path, portrait):
    cv2.imwrite(str(tmp_path / "a.png"), portrait)
    return tmp_path


def labels(folder, text: str) -> str:
    (folder / "labels.csv").write_text(text)
    return f"folder:{folder}"


def test_a_face_is_cut_from_its_box_and_read_with_what_is_known(folder, face) -> None:
    name = labels(
        folder,
        "file,x,y,width,height,emotion,valence,arousal\n"
        "a.png,177,66,95,95,Happy,0.5,\n"
        "a.png,,,,,sad,,\n"
        "a.png,,,,,,0.1,0.1\n",
    )
    samples = load(name, "all")
    np.testing.assert_array_equal(samples.labels, [1, 2])
    # OpenCV converts in its decoder, and not quite as it does by itself.
    assert np.abs(samples.pictures[0].astype(int) - face).max() <= 1
    assert samples.pictures[1].shape == (512, 512)
    np.testing.assert_array_equal(samples.valence_arousal, [[0.5, np.nan], [np.nan, np.nan]])


def test_votes_become_shares(folder) -> None:
    name = labels(
        folder,
        "file,neutral,happy,sad,surprise,fear,disgust,anger,contempt\na.png,3,,,,,,,1\n",
    )
    samples = load(name, "all")
    np.testing.assert_allclose(samples.soft_labels[0, [0, 7]], [0.75, 0.25])
    assert samples.labels[0] == 0


def test_splits_are_those_of_the_file(folder) -> None:
    name = labels(folder, "split,file,emotion\ntest,a.png,fear\ntrain,b.png,fear\n")
    assert load(name, "test").names.tolist() == ["a.png"]
    assert len(load(name, "validation")) == 0
    assert len(load(name, "all")) == 2


def test_without_any_they_are_drawn_by_name(folder) -> None:
    rows = "".join(f"{i}.png,happy\n" for i in range(300))
    name = labels(folder, "file,emotion\n" + rows)
    parts = {split: set(load(name, split).names) for split in ("train", "validation", "test")}
    assert sum(len(part) for part in parts.values()) == len(set().union(*parts.values())) == 300
    assert 200 < len(parts["train"]) < 270
    labels(folder, "file,emotion\n" + rows + "new.png,sad\n")
    assert parts["test"] <= set(load(name, "test").names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("picture,emotion\n", "no column `file`"),
        ("file,mood\n", "no column `emotion`"),
        ("file,emotion\na.png,glad\n", "line 2: emotion 'glad': write one of neutral"),
        ("file,emotion,valence,arousal\na.png,happy,2,0\n", r"line 2: valence or arousal: .*\[-1"),
        ("file,emotion,x\na.png,happy,left\n", "line 2: x: 'left' is no number"),
        ("file,emotion,split\na.png,happy,dev\n", "line 2: split 'dev': write one of train"),
    ],
)
def test_what_is_wrong_is_named(folder, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(labels(folder, text), "test" if "split" in text else "all")
