"""The ratios as bars."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt  # after the backend was chosen

from measure.ratios import Inference, Pair

COLOURS = {Inference.PREDICT: "#4269d0", Inference.FUNCTION: "#efb118"}


def draw(pairs: Sequence[Pair], path: Path) -> None:
    """One group of bars for each α and number of faces, the whiskers from lowest to highest."""
    groups = list(dict.fromkeys((pair.alpha, pair.faces) for pair in pairs))
    figure, axes = plt.subplots(figsize=(1.5 + 1.1 * len(groups), 4), layout="constrained")
    for offset, inference in zip((-0.2, 0.2), Inference, strict=True):
        ours = [pair for pair in pairs if pair.inference == inference]
        middles = [pair.throughput.median for pair in ours]
        below = [pair.throughput.median - pair.throughput.low for pair in ours]
        above = [pair.throughput.high - pair.throughput.median for pair in ours]
        places = [groups.index((pair.alpha, pair.faces)) + offset for pair in ours]
        axes.bar(places, middles, 0.38, label=f"against {inference}", color=COLOURS[inference])
        axes.errorbar(places, middles, [below, above], fmt="none", ecolor="#333", capsize=3)
    names = [f"α {alpha:g}\n{faces} face{'s' * (faces > 1)}" for alpha, faces in groups]
    axes.set_xticks(range(len(groups)), names)
    axes.set_ylabel("throughput, times the reference's")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
