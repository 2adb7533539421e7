"""The data set as it is comes out of the published files that it was made from."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")
pytestmark = [pytest.mark.data, pytest.mark.train]

from fer_edge.evaluation.datasets import load  # noqa: E402  only where it is installed
from fer_edge.training import pack_ferplus  # noqa: E402

EVERY = 12
"""One picture in this number."""


def test_pictures_and_votes_come_out_as_they_are(data, tmp_path) -> None:
    held = data
    stored = np.load(f"{held}/ferplus.npz")
    samples = {split: load(f"ferplus:{held}/ferplus.npz", split) for split in ("train", "test")}
    usage = np.array(["Training", "PublicTest", "PrivateTest"])[stored["split"]]
    place = {name: i for i, name in enumerate(stored["name"])}
    pictured, voted = (
        ["emotion,pixels,Usage"],
        [f"Usage,Image name,{','.join(pack_ferplus.COLUMNS)}"],
    )
    kept = []
    for split in samples.values():
        for name, picture in list(zip(split.names, split.pictures, strict=True))[::EVERY]:
            row = place[name]
            kept.append(row)
            pictured.append(f"0,{' '.join(map(str, picture.ravel()))},{usage[row]}")
            voted.append(f"{usage[row]},{name},{','.join(map(str, stored['votes'][row]))}")
    for file, lines in (("a.csv", pictured), ("b.csv", voted)):
        (tmp_path / file).write_text("\n".join(lines) + "\n")
    words = f"--fer2013 {tmp_path}/a.csv --ferplus {tmp_path}/b.csv --out {tmp_path}/made.npz"
    pack_ferplus.main([*words.split(), "--matrix", f"{held}/votes_to_valence_arousal.npz"])
    made = np.load(tmp_path / "made.npz")
    for key in ("name", "votes", "split"):
        np.testing.assert_array_equal(made[key], stored[key][kept])
    for key in ("valence", "arousal"):
        np.testing.assert_allclose(made[key], stored[key][kept], atol=1e-6)
    again = load(f"ferplus:{tmp_path}/made.npz", "test")
    for one, other in zip(again.pictures, samples["test"].pictures[::EVERY], strict=True):
        np.testing.assert_array_equal(one, other)
