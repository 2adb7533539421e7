"""Both layouts of AffectNet, as its licence holders have them on disk, with one public face."""

import csv
import shutil

import cv2
import numpy as np
import pytest

from fer_edge.errors import ConfigError
from fer_edge.evaluation.datasets import load
from fer_edge.evaluation.datasets._affectnet import COLUMNS

BOX = (177, 66, 95, 95)
ROWS = [(expression, 0.1 * expression, -0.05 * expression) for expression in range(8)]


def write_list(path, rows, header=True):
    with path.open("w", newline="") as lines:
        out = csv.writer(lines)
        if header:
            out.writerow(COLUMNS)
        for i, (expression, valence, arousal) in enumerate(rows):
            out.writerow([f"{i % 3}/{i}.jpg", *BOX, "1;2;3;4", expression, valence, arousal])


@pytest.fixture
def first_release(tmp_path, portrait):
    """200 training rows, of them 40 without an emotion; 8 validation rows without a header."""
    images = tmp_path / "Manually_Annotated" / "Manually_Annotated_Images"
    lists = tmp_path / "Manually_Annotated_file_lists"
    lists.mkdir()
    for i in range(3):
        (images / str(i)).mkdir(parents=True)
    cv2.imwrite(str(images / "0" / "0.jpg"), portrait, [cv2.IMWRITE_JPEG_QUALITY, 95])
    for i in range(1, 8):
        shutil.copy(images / "0" / "0.jpg", images / str(i % 3) / f"{i}.jpg")
    write_list(lists / "training.csv", [*(ROWS * 20), *((e, -2, -2) for e in (8, 9, 10, 8) * 10)])
    write_list(lists / "validation.csv", ROWS, header=False)
    return tmp_path


def test_a_face_is_cut_where_the_list_says(first_release, face) -> None:
    samples = load(f"affectnet:{first_release}", "test")
    np.testing.assert_array_equal(samples.labels, range(8))
    np.testing.assert_array_equal(samples.soft_labels, np.eye(8))
    np.testing.assert_allclose(samples.valence_arousal[3], [0.3, -0.15], rtol=1e-6)
    picture = samples.pictures[5]
    assert picture.shape == face.shape
    assert np.abs(picture.astype(int) - face).mean() < 2
    assert "its own validation set" in samples.origin.split


def test_train_and_validation_share_the_training_list_without_what_is_no_emotion(
    first_release,
) -> None:
    train, judged = (load(f"affectnet:{first_release}", s) for s in ("train", "validation"))
    assert len(train) + len(judged) == 160
    assert 0 < len(judged) < 20
    assert not set(train.names) & set(judged.names)
    assert train.names.tolist() == load(f"affectnet:{first_release}", "train").names.tolist()


def test_the_thesis_tests_on_a_fifth_of_the_training_list(first_release) -> None:
    parts = [load(f"affectnet-thesis:{first_release}", s) for s in ("train", "validation", "test")]
    names = [name for part in parts for name in part.names]
    assert len(names) == len(set(names)) == 160
    assert 0.1 < len(parts[2]) / 160 < 0.3


def test_not_annotated_is_not_a_number(first_release) -> None:
    path = next(first_release.rglob("validation.csv"))
    write_list(path, [(1, -2, -2), (2, 0.5, 0.5)])
    plane = load(f"affectnet:{first_release}", "test").valence_arousal
    assert np.isnan(plane[0]).all()
    np.testing.assert_allclose(plane[1], 0.5)


def test_a_damaged_line_is_named(first_release) -> None:
    path = next(first_release.rglob("validation.csv"))
    path.write_text(path.read_text().replace(",0.2,", ",many,"))
    with pytest.raises(ConfigError, match=r"validation\.csv: line 3: .*'many'.*fetch"):
        load(f"affectnet:{first_release}", "test")


def test_a_picture_that_is_missing_is_named_when_it_is_needed(first_release) -> None:
    next(first_release.rglob("4.jpg")).unlink()
    samples = load(f"affectnet:{first_release}", "test")
    with pytest.raises(ConfigError, match=r"4\.jpg: cannot be read; fetch it again"):
        samples.pictures[4]


@pytest.fixture
def later_release(tmp_path, face):
    """Ten faces for validation: eight of them with an emotion."""
    for folder in ("train_set", "val_set"):
        (tmp_path / folder / "images").mkdir(parents=True)
        (tmp_path / folder / "annotations").mkdir()
    for i in range(10):
        folder = tmp_path / "val_set"
        cv2.imwrite(str(folder / "images" / f"{i}.jpg"), cv2.resize(face, (224, 224)))
        for what, value in {"exp": i, "val": 0.1 * i, "aro": -0.1, "lnd": 7.0}.items():
            np.save(folder / "annotations" / f"{i}_{what}.npy", np.array(str(value)))
    return tmp_path


def test_the_later_layout_has_a_file_for_each_figure(later_release) -> None:
    samples = load(f"affectnet:{later_release}", "test")
    np.testing.assert_array_equal(samples.labels, range(8))
    np.testing.assert_allclose(samples.valence_arousal[:, 0], np.arange(8) / 10, rtol=1e-6)
    np.testing.assert_allclose(samples.valence_arousal[:, 1], -0.1, rtol=1e-6)
    assert samples.pictures[2].shape == (224, 224)
    assert len(load(f"affectnet:{later_release}", "train")) == 0


def test_a_damaged_annotation_is_named(later_release) -> None:
    (later_release / "val_set" / "annotations" / "3_val.npy").write_bytes(b"nonsense")
    with pytest.raises(ConfigError, match=r"3_val\.npy: .*fetch"):
        load(f"affectnet:{later_release}", "test")
