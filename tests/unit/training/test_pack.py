"""Data and start weights that a person outside makes from published files."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from fer_edge.evaluation.datasets import load  # noqa: E402  only where it is installed
from fer_edge.training import pack_ferplus, pack_start_weights  # noqa: E402
from fer_edge.training.network import channels_of, random_weights  # noqa: E402
from fer_edge.training.resnet import BLOCKS, FIRST  # noqa: E402
from fer_edge.training.weights import load_weights  # noqa: E402

HEAD = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def write_csv(folder, *, pictures, usages, names, votes, head="emotion,pixels,Usage"):
    """Both files; ``votes`` are in our order of classes."""
    order = [0, 1, 3, 2, 6, 5, 4, 7, 8, 9]
    rows = [f"0,{' '.join(map(str, p.ravel()))},{u}" for p, u in zip(pictures, usages, strict=True)]
    (folder / "fer2013.csv").write_text("\n".join([head, *rows]) + "\n")
    rows = [
        f"{u},{n},{','.join(str(v[i]) for i in order)}"
        for u, n, v in zip(usages, names, votes, strict=True)
    ]
    (folder / "fer2013new.csv").write_text("\n".join([HEAD, *rows]) + "\n")


def run(folder, *words: str):
    out = folder / "made" / "ferplus.npz"
    pack_ferplus.main(
        [
            *("--fer2013", str(folder / "fer2013.csv")),
            *("--ferplus", str(folder / "fer2013new.csv")),
            *("--out", str(out)),
            *words,
        ]
    )
    return out


@pytest.fixture
def csv_files(tmp_path):
    rng = np.random.default_rng(0)
    pictures = list(rng.integers(0, 256, (8, 48, 48)))
    pictures[5] = pictures[0]
    usages = ["Training"] * 4 + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    names = ["a.png", "b.png", "", "twice.png", "c.png", "d.png", "e.png", "twice.png"]
    votes = np.zeros((8, 10), int)
    votes[range(8), [0, 1, 2, 3, 4, 5, 6, 7]] = 9
    votes[:, 9] += 1
    write_csv(
        tmp_path,
        pictures=pictures,
        usages=usages,
        names=names,
        votes=votes,
        head="emotion, pixels, Usage",
    )
    return tmp_path, pictures, votes


def test_rows_without_a_name_and_names_used_twice_are_left_out(csv_files, capsys) -> None:
    folder, pictures, votes = csv_files
    matrix = np.random.default_rng(1).normal(size=(8, 2))
    np.savez(folder / "matrix.npz", matrix=matrix)
    out = run(folder, "--matrix", str(folder / "matrix.npz"))
    assert "5 pictures, [2, 2, 1] by split, 1 of them in the training split too" in (
        capsys.readouterr().out
    )
    made = np.load(out)
    assert made["name"].tolist() == ["a.png", "b.png", "c.png", "d.png", "e.png"]
    assert made["duplicate_of_train"].tolist() == [False, False, False, True, False]
    np.testing.assert_array_equal(made["votes"], votes[[0, 1, 4, 5, 6]])
    np.testing.assert_allclose(made["valence"], matrix[[0, 1, 4, 5, 6], 0], rtol=1e-6)
    samples = load(f"ferplus:{out}", "test")
    np.testing.assert_array_equal(samples.pictures[0], pictures[6])
    assert samples.labels.tolist() == [6]
    (seen, _) = load(f"ferplus:{out}", "train").pictures
    assert 0 < np.abs(seen.astype(int) - pictures[0]).mean() < 20


def test_without_a_matrix_valence_is_unknown_and_pictures_can_be_lossless(csv_files) -> None:
    folder, pictures, _ = csv_files
    out = run(folder, "--quality", "101")
    assert np.isnan(np.load(out)["arousal"]).all()
    np.testing.assert_array_equal(load(f"ferplus:{out}", "train").pictures[1], pictures[1])


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("fer2013.csv", None, r"fer2013\.csv: No such file.*; name the file you hold"),
        ("fer2013.csv", ("Usage", "Use"), r"fer2013\.csv: no column Usage; fetch"),
        ("fer2013new.csv", ("contempt", "scorn"), r"fer2013new\.csv: no column contempt"),
        ("fer2013.csv", ("PublicTest", "Later"), r"line 6: 'Later'; they must have"),
        ("fer2013new.csv", (",9,", ",nine,"), r"line 2: invalid literal.*nine"),
        ("fer2013new.csv", ("PrivateTest,twice.png,0,0,0,0,0,0,0,9,0,1\n", ""), r"line 8: zip"),
    ],
)
def test_a_bad_file_is_one_line_and_nothing_is_written(csv_files, file, change, message) -> None:
    folder, *_ = csv_files
    if change is None:
        (folder / file).unlink()
    else:
        content = (folder / file).read_text()
        assert change[0] in content
        (folder / file).write_text(content.replace(*change))
    with pytest.raises(SystemExit, match=message) as stop:
        run(folder)
    assert "\n" not in str(stop.value)
    assert not (folder / "made").exists()


def write_model(folder, tensors: dict[str, np.ndarray], *, topology: bool) -> None:
    """A model of TensorFlow.js in two files of bytes, one quantised to bytes, one to half."""
    groups = []
    for number, part in enumerate((list(tensors)[::2], list(tensors)[1::2])):
        blob, entries = b"", []
        for name in part:
            array = tensors[name].astype(np.float32)
            entry = {"name": name, "shape": list(array.shape), "dtype": "float32"}
            if number:
                low, scale = float(array.min()), float(np.ptp(array)) / 255 or 1.0
                levels = np.round((array - low) / scale).astype(np.uint8)
                blob += levels.tobytes()
                entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": low}
            else:
                blob += array.astype(np.float16).tobytes()
                entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
            entries.append(entry)
        names = [f"part{number}-{i}.bin" for i in range(2)]
        half = len(blob) // 2
        for name, piece in zip(names, (blob[:half], blob[half:]), strict=True):
            (folder / name).write_bytes(piece)
        groups.append({"paths": names, "weights": entries})
    content = {"modelTopology": {}, "weightsManifest": groups} if topology else groups
    (folder / "model.json").write_text(json.dumps(content))


@pytest.fixture
def mobilenet(tmp_path) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    weights = random_weights(0.25, 3, rng)
    tensors = {"feats/kernel": np.ones((256, 4))}
    for name, count in channels_of(0.25).items():
        if name.startswith("conv_dw"):
            tensors[f"{name}/depthwise_kernel"] = weights[f"{name}/kernel"]
            tensors[f"{name}_bn/batchnorm_1/mul"] = rng.uniform(1, 2, count)
        else:
            tensors[f"{name}/convolution/merged_input"] = weights[f"{name}/kernel"]
        tensors[f"{name}_bn/batchnorm_1/sub"] = rng.normal(size=count)
    write_model(tmp_path, tensors, topology=True)
    return tensors


def pack(folder, model="model.json"):
    out = folder / "start.npz"
    pack_start_weights.main(["--model", str(folder / model), "--out", str(out)])
    return out


def test_a_mobilenet_becomes_folded_weights(mobilenet, tmp_path, capsys) -> None:
    out = pack(tmp_path)
    assert "54 arrays, 0.2 million weights" in capsys.readouterr().out
    made = np.load(out)
    assert made["conv1/kernel"].dtype == np.float16
    for name in ("conv1", "conv_dw_7", "conv_pw_13"):
        if name.startswith("conv_dw"):
            scale = mobilenet[f"{name}_bn/batchnorm_1/mul"][:, None]
            wanted = mobilenet[f"{name}/depthwise_kernel"] * scale
        else:
            wanted = mobilenet[f"{name}/convolution/merged_input"]
        step = np.ptp(wanted) / 100
        np.testing.assert_allclose(made[f"{name}/kernel"], wanted, atol=step)
        shift = mobilenet[f"{name}_bn/batchnorm_1/sub"]
        np.testing.assert_allclose(made[f"{name}/bias"], shift, atol=np.ptp(shift) / 100)
    assert load_weights(str(out))["conv1/kernel"].shape == (3, 3, 1, 8)


def test_dlibs_network_becomes_folded_weights(tmp_path) -> None:
    rng = np.random.default_rng(0)
    tensors = {"fc": np.ones((4, 4))}
    for name in (FIRST, *(f"{block}/conv{n}" for block in BLOCKS for n in (1, 2))):
        given = 3 if name == FIRST else 2
        tensors[f"{name}/conv/filters"] = rng.normal(size=(3, 3, given, 2))
        for value in ("conv/bias", "scale/weights", "scale/biases"):
            tensors[f"{name}/{value}"] = rng.normal(1, 0.1, 2)
    write_model(tmp_path, tensors, topology=False)
    made = np.load(pack(tmp_path))
    name = f"{BLOCKS[3]}/conv2"
    scale = tensors[f"{name}/scale/weights"]
    np.testing.assert_allclose(
        made[f"{name}/kernel"], tensors[f"{name}/conv/filters"] * scale, atol=0.05
    )
    wanted = tensors[f"{name}/conv/bias"] * scale + tensors[f"{name}/scale/biases"]
    np.testing.assert_allclose(made[f"{name}/bias"], wanted, atol=0.01)


def test_a_model_that_is_missing_cut_off_or_another_is_one_line(mobilenet, tmp_path) -> None:
    for model, message in (
        ("none.json", r"none\.json: No such file.*; name the \.json"),
        ("part0-0.bin", r"part0-0\.bin: no weights of TensorFlow\.js"),
    ):
        with pytest.raises(SystemExit, match=message):
            pack(tmp_path, model)
    whole = (tmp_path / "part0-1.bin").read_bytes()
    (tmp_path / "part0-1.bin").write_bytes(whole[:-9])
    with pytest.raises(SystemExit, match=r"model\.json: .*cut off"):
        pack(tmp_path)
    (tmp_path / "part0-1.bin").unlink()
    with pytest.raises(SystemExit, match=r"part0-1\.bin: No such file"):
        pack(tmp_path)
    write_model(tmp_path, {"dense/kernel": np.ones((3, 3))}, topology=True)
    with pytest.raises(SystemExit, match=r"no tensor 'conv1/.*'; name faceres-deep\.json"):
        pack(tmp_path)
    assert not (tmp_path / "start.npz").exists()
