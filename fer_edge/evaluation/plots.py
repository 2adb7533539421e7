"""Figures as pictures: confusion matrix, error over the circumplex, reliability diagram."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError
from fer_edge.evaluation import metrics
from fer_edge.evaluation.calibrate import scaled
from fer_edge.evaluation.measure import Evaluation
from fer_edge.evaluation.robust import CONDITIONS, Robustness
from fer_edge.types import EMOTIONS

INK: Final = "#22303c"
FAINT: Final = "#8a97a3"
BLUE: Final = "#2f6db5"
RED: Final = "#c8553d"
STYLE: Final[dict[Any, Any]] = {
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlepad": 12,
    "xtick.color": INK,
    "ytick.color": INK,
    "savefig.dpi": 160,
    "figure.constrained_layout.use": True,
}
ANCHORS: Final = {
    "neutral": (0.0, 0.0),
    "happy": (0.75, 0.2),
    "surprise": (0.1, 0.8),
    "fear": (-0.35, 0.72),
    "anger": (-0.6, 0.5),
    "disgust": (-0.72, 0.25),
    "contempt": (-0.62, -0.1),
    "sad": (-0.65, -0.4),
}
"""Where Russell's circumplex and AffectNet's annotators put an intense emotion, for orientation."""


def require_matplotlib() -> None:
    """Raise ConfigError where matplotlib is missing."""
    try:
        importlib.import_module("matplotlib")
    except ImportError:
        raise ConfigError(
            "--out draws with matplotlib, which is not installed; pip install 'fer-edge[report]'"
        ) from None


def draw(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write NAME_confusion.png, NAME_circumplex.png and NAME_reliability.png; return their paths.

    The circumplex is left out where nobody knows valence and arousal.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    makers = {"confusion": confusion, "reliability": reliability}
    if evaluation.figures.valence:
        makers["circumplex"] = circumplex
    paths = []
    with mpl.rc_context(STYLE):
        for name, make in makers.items():
            figure = Figure()
            make(figure, evaluation)
            paths.append(folder / f"{evaluation.name}_{name}.png")
            figure.savefig(paths[-1], facecolor="white")
    return paths


def draw_robust(models: Sequence[Robustness], path: Path) -> None:
    """Accuracy against strength, a panel for each condition and a line for each model."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 9))
        panels = figure.subplots(3, 3, sharey=True)
        for panel, (name, (_, strengths, unit)) in zip(
            panels.flat, CONDITIONS.items(), strict=True
        ):
            places = range(len(strengths) + 1)
            for model in models:
                panel.plot(
                    places, (model.clean, *model.accuracy[name]), marker="o", label=model.name
                )
            panel.set_xticks(places, ("clean", *(f"{strength:g}" for strength in strengths)))
            panel.set(title=name, xlabel=unit, ylim=(0.3, 0.9))
            panel.grid(alpha=0.3)
        panels[0, 0].legend(fontsize=7, loc="lower left")
        for row in panels:
            row[0].set_ylabel("accuracy")
        figure.suptitle(f"{models[0].samples} faces under hard conditions", fontweight="bold")
        figure.savefig(path, facecolor="white")


def _title(figure: Any, title: str, evaluation: Evaluation) -> None:
    card, figures = evaluation.card, evaluation.figures
    figure.suptitle(title, fontsize=14, fontweight="bold", x=0.02, ha="left")
    what = f"α = {card.alpha:g} {card.precision} on {figures.dataset}, {figures.samples} faces"
    what += ", mirror images averaged in" if evaluation.mirror else ""
    figure.supxlabel(what, fontsize=9, color=FAINT, x=0.02, ha="left")


# --- Confusion matrix ----------------------------------------------------------------------------
def confusion(figure: Any, evaluation: Evaluation) -> None:
    """Shares of each class with counts; TPR and FNR to the right, PPV and FDR below."""
    table = evaluation.table
    figure.set_size_inches(9.4, 7.8)
    middle, right, below = _panels(figure)
    middle.imshow(metrics.row_shares(table), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(table.shape):
        share = table[row, column] / max(table[row].sum(), 1)
        tone = "white" if share > 0.5 else INK if table[row, column] else "#c3ccd4"
        weight = "bold" if row == column else "normal"
        middle.text(
            column, row - 0.13, f"{share:.0%}", ha="center", va="center", color=tone, weight=weight
        )
        middle.text(
            column, row + 0.22, table[row, column], ha="center", va="center", color=tone, size=7.5
        )
    names = [f"{emotion}\n{count}" for emotion, count in zip(EMOTIONS, table.sum(1), strict=True)]
    middle.set_yticks(range(len(EMOTIONS)), names)
    middle.set_xticks(range(len(EMOTIONS)), EMOTIONS)
    middle.xaxis.tick_top()
    middle.set_ylabel("what it is")
    middle.set_xlabel("what was predicted", labelpad=10)
    middle.xaxis.set_label_position("top")
    found, precise = metrics.sensitivities(table), metrics.sensitivities(table.T)
    _margin(right, np.stack([found, 1 - found], 1), ("sensitivity\nTPR", "miss rate\nFNR"), "x")
    below_names = ("precision\nPPV", "false discovery\nFDR")
    _margin(below, np.stack([precise, 1 - precise], 0), below_names, "y")
    for axes in (middle, right, below):
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        _grid(axes)
    _title(figure, "Confusion matrix", evaluation)


def _panels(figure: Any) -> tuple[Any, Any, Any]:
    """Axes of the matrix, of what stands to its right, and of what stands below."""
    grid = figure.add_gridspec(2, 2, width_ratios=(8, 2.1), height_ratios=(8, 1.7))
    middle = figure.add_subplot(grid[0, 0])
    return middle, figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 0])


def _margin(axes: Any, shares: NDArray[np.float64], names: tuple[str, str], along: str) -> None:
    """Right shares in green, wrong ones in red, the stronger the larger."""
    good = np.array([0.36, 0.66, 0.42])
    bad = np.array([0.84, 0.42, 0.34])
    ends = np.where(np.arange(2)[:, None] == 0, good, bad)
    colours = ends[None] if along == "x" else ends[:, None]
    strength = np.nan_to_num(shares)[..., None] * 0.8
    axes.imshow(1 - strength * (1 - colours), aspect="auto")
    for row, column in np.ndindex(shares.shape):
        value = shares[row, column]
        axes.text(column, row, "–" if np.isnan(value) else f"{value:.0%}", ha="center", va="center")
    if along == "x":
        axes.set_xticks(range(2), names, size=8.5)
        axes.xaxis.tick_top()
        axes.set_yticks([])
    else:
        axes.set_yticks(range(2), names, size=8.5)
        axes.set_xticks([])


def _grid(axes: Any) -> None:
    """White lines between the cells."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for x in np.arange(left, right + 0.1):
        axes.axvline(x, color="white", lw=1.5)
    for y in np.arange(min(bottom, top), max(bottom, top) + 0.1):
        axes.axhline(y, color="white", lw=1.5)


# --- Circumplex ----------------------------------------------------------------------------------
def circumplex(figure: Any, evaluation: Evaluation) -> None:
    """Root mean squared error of valence and of arousal by the true valence and arousal."""
    plane, predicted = evaluation.samples.valence_arousal, evaluation.predictions.valence_arousal
    known = ~np.isnan(plane).any(1)
    plane, squares = plane[known], (predicted[known] - plane[known]) ** 2
    figure.set_size_inches(11.2, 5.9)
    left, right = figure.subplots(1, 2)
    maps = [_error_map(plane, squares[:, axis]) for axis in range(2)]
    top = max(float(np.nanpercentile(error, 98)) for error in maps)
    for axes, error, name in zip((left, right), maps, ("valence", "arousal"), strict=True):
        figures = getattr(evaluation.figures, name)
        image = axes.imshow(
            error.T, origin="lower", extent=(-1, 1, -1, 1), cmap="viridis_r", vmin=0, vmax=top
        )
        _circle(axes)
        axes.set_title(f"{name}: RMSE {figures.rmse:.3f}, CCC {figures.ccc:.3f}")
    bar = figure.colorbar(image, ax=[left, right], shrink=0.8, pad=0.02, extend="max")
    bar.set_label("root mean squared error")
    bar.outline.set_visible(False)
    _title(figure, "Where valence and arousal go wrong", evaluation)


def _error_map(plane: NDArray[np.float32], squares: NDArray[np.float32]) -> NDArray[np.float64]:
    """``[71, 71]``: valence, then arousal; NaN where no face lies."""
    side = metrics.REGIONS
    column, row = metrics.cells(plane).T
    region = column * side + row
    with np.errstate(invalid="ignore"):
        mean = np.bincount(region, squares, side * side) / np.bincount(
            region, minlength=side * side
        )
    error: NDArray[np.float64] = np.sqrt(mean).reshape(side, side)
    return error


def _circle(axes: Any) -> None:
    """The unit circle, its axes, and the emotions' names."""
    from matplotlib.patches import Circle
    from matplotlib.patheffects import withStroke

    axes.add_patch(Circle((0, 0), 1, fill=False, color=FAINT, lw=1.2))
    axes.axhline(0, color=FAINT, lw=0.6, zorder=0)
    axes.axvline(0, color=FAINT, lw=0.6, zorder=0)
    halo = [withStroke(linewidth=2.5, foreground="white", alpha=0.85)]
    for name, (x, y) in ANCHORS.items():
        if name != "neutral":
            axes.text(x, y, name, ha="center", va="center", size=9, color=INK, path_effects=halo)
    axes.set(
        xlim=(-1.02, 1.02), ylim=(-1.02, 1.02), xlabel="valence", ylabel="arousal", aspect="equal"
    )
    axes.set_xticks([-1, -0.5, 0, 0.5, 1])
    axes.set_yticks([-1, -0.5, 0, 0.5, 1])
    axes.spines[:].set_visible(False)


# --- Reliability ---------------------------------------------------------------------------------
def reliability(figure: Any, evaluation: Evaluation) -> None:
    """Share that is right against the network's confidence, and how many faces have that confidence."""
    truth, after = evaluation.samples.labels, evaluation.predictions.probabilities
    now = metrics.reliability(truth, after)
    figure.set_size_inches(6.4, 7.2)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    middles = (np.arange(metrics.BINS) + 0.5) / metrics.BINS
    width = 0.92 / metrics.BINS
    above.bar(middles, now.accuracy, width, color=BLUE, alpha=0.85, label="share that is right")
    gap = now.confidence - now.accuracy
    above.bar(
        middles,
        gap,
        width,
        bottom=now.accuracy,
        color=RED,
        alpha=0.25,
        label="gap to the confidence",
    )
    above.plot([0, 1], [0, 1], "--", color=FAINT, lw=1.2, label="perfectly calibrated")
    if not evaluation.mirror:  # of a mean of two the temperature cannot be taken back
        _before_temperature(above, evaluation)
    above.set(xlim=(0, 1), ylim=(0, 1), ylabel="share that is right")
    above.set_title(f"expected calibration error {now.error:.3f}", loc="left", size=11)
    above.legend(frameon=False, loc="upper left", fontsize=9)
    below.bar(middles, now.samples / now.samples.sum(), width, color=FAINT)
    below.set(xlabel="confidence in the class that was predicted", ylabel="share of faces")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    _title(figure, "Reliability", evaluation)


def _before_temperature(axes: Any, evaluation: Evaluation) -> None:
    """The same as a line, as it was before temperature scaling."""
    temperature = evaluation.card.temperature
    predicted = scaled(evaluation.predictions.probabilities, 1 / temperature)
    before = metrics.reliability(evaluation.samples.labels, predicted)
    filled = before.samples > 0
    axes.plot(
        before.confidence[filled],
        before.accuracy[filled],
        "o-",
        clip_on=False,
        color=INK,
        ms=3.5,
        lw=1,
        label=f"before temperature {temperature:g}: error {before.error:.3f}",
    )
