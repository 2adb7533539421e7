"""How sure a model is where a room is hard: every picture changed in several ways, at three strengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fer_edge.evaluation.datasets import Samples
from fer_edge.evaluation.runner import THREADS, classify
from fer_edge.modelcard import ModelCard
from fer_edge.types import GrayImage

SIDE: Final = 112
"""Side to which pictures are brought before they are changed; lengths below are in its pixels."""

Change = Callable[[GrayImage, float, np.random.Generator], GrayImage]


def _darken(picture: GrayImage, light: float, rng: np.random.Generator) -> GrayImage:
    """Less light, with a sensor's read and shot noise, in whole grey levels."""
    dark = picture * light
    noise = np.sqrt(1.5**2 + 0.3**2 * dark) * rng.standard_normal(picture.shape)
    return _levels(dark + noise)


def _light_from_side(picture: GrayImage, least: float, _: np.random.Generator) -> GrayImage:
    """Full light on one side, falling to the share ``least`` on the other."""
    return _levels(picture * np.geomspace(1, least, picture.shape[1]))


def _haze(picture: GrayImage, contrast: float, _: np.random.Generator) -> GrayImage:
    """Less contrast, towards bright grey."""
    return _levels(picture * contrast + 170 * (1 - contrast))


def _blur(picture: GrayImage, sigma: float, _: np.random.Generator) -> GrayImage:
    import cv2

    return _levels(cv2.GaussianBlur(picture, (0, 0), sigma))


def _blur_by_motion(picture: GrayImage, length: float, _: np.random.Generator) -> GrayImage:
    """Blur along a line across."""
    import cv2

    kernel = np.full((1, int(length)), 1 / int(length), np.float32)
    return _levels(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REPLICATE))


def _make_small(picture: GrayImage, side: float, _: np.random.Generator) -> GrayImage:
    import cv2

    return _levels(cv2.resize(picture, (int(side), int(side)), interpolation=cv2.INTER_AREA))


def _cover_mouth(picture: GrayImage, top: float, _: np.random.Generator) -> GrayImage:
    """A mask in one shade from the share ``top`` of the height down to the chin."""
    import cv2

    across, down = (np.array(values) * SIDE for values in ((0.18, 0.5, 0.82), (top, 0.9, 0.99)))
    corners = [(across[0], down[0] + 4), (across[1], down[0]), (across[2], down[0] + 4)]
    corners += [(across[2] - 5, down[1]), (across[1], down[2]), (across[0] + 5, down[1])]
    covered = picture.copy()
    cv2.fillPoly(covered, [np.array(corners, np.int32)], (190,))
    return covered


def _cover_eyes(picture: GrayImage, opacity: float, _: np.random.Generator) -> GrayImage:
    """Dark glasses."""
    import cv2

    covered = picture.copy()
    for across in (0.3, 0.7):
        centre = (round(across * SIDE), round(0.4 * SIDE))
        cv2.ellipse(covered, centre, (17, 12), 0, 0, 360, (20,), -1)
    cv2.line(covered, (45, 42), (67, 42), (20,), 3)
    return _levels(picture * (1 - opacity) + covered * opacity)


def _shift_down(picture: GrayImage, share: float, _: np.random.Generator) -> GrayImage:
    """A box that sits too low: the face moves up, the edge is repeated."""
    rows = np.minimum(np.arange(SIDE) + round(share * SIDE), SIDE - 1)
    return picture[rows]


def _levels(values: object) -> GrayImage:
    levels: GrayImage = np.asarray(values).round().clip(0, 255).astype(np.uint8)
    return levels


CONDITIONS: Final[dict[str, tuple[Change, tuple[float, float, float], str]]] = {
    "dark": (_darken, (0.4, 0.25, 0.15), "light, with a sensor's noise"),
    "side": (_light_from_side, (0.4, 0.2, 0.1), "light on the far side"),
    "haze": (_haze, (0.5, 0.3, 0.2), "contrast"),
    "blur": (_blur, (1.0, 2.0, 3.0), "pixels, sigma"),
    "motion": (_blur_by_motion, (5, 9, 13), "pixels"),
    "small": (_make_small, (32, 24, 16), "pixels wide"),
    "mask": (_cover_mouth, (0.68, 0.62, 0.56), "of the height, its upper edge"),
    "glasses": (_cover_eyes, (0.5, 0.75, 1.0), "opacity"),
    "low": (_shift_down, (0.04, 0.08, 0.12), "of the side, the box too low"),
}
"""By name: the change, its three strengths, and what they are."""


@dataclass(frozen=True)
class Robustness:
    """Accuracy of one model by condition."""

    name: str
    samples: int
    clean: float
    accuracy: dict[str, tuple[float, ...]]
    """By condition, one for each strength."""

    @property
    def relative(self) -> float:
        """Mean accuracy over all conditions and strengths, relative to clean; 0 if none is right."""
        if not self.clean:
            return 0.0
        means = [np.mean(values) for values in self.accuracy.values()]
        return float(np.mean(means) / self.clean)


def changed(pictures: Sequence[GrayImage], name: str, strength: float) -> list[GrayImage]:
    """The pictures under a condition; the same noise for the same picture each time."""
    import cv2

    change = CONDITIONS[name][0]
    made = []
    for number, picture in enumerate(pictures):
        shrinks = max(picture.shape) > SIDE
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        enlarged = cv2.resize(picture, (SIDE, SIDE), interpolation=how).astype(np.uint8, copy=False)
        made.append(change(enlarged, strength, np.random.default_rng(number)))
    return made


def robustness(
    card: ModelCard,
    model: bytes,
    samples: Samples,
    *,
    threads: int = THREADS,
    advance: Callable[[], object] = lambda: None,
) -> Robustness:
    """Measure a model under every condition; ``advance`` is called after each.

    Raises:
        ConfigError: there are no samples, or a picture cannot be read.
        ModelError: the interpreter is not there or refuses the model.
    """

    def accuracy(pictures: Sequence[GrayImage]) -> float:
        predicted = classify(card, model, pictures, threads=threads).probabilities.argmax(1)
        return float((predicted == samples.labels).mean())

    pictures = list(samples.pictures)
    clean = accuracy(pictures)
    found = {}
    for name, (_, strengths, _) in CONDITIONS.items():
        values = []
        for strength in strengths:
            values.append(accuracy(changed(pictures, name, strength)))
            advance()
        found[name] = tuple(values)
    return Robustness(card.name, len(samples), clean, found)


def rows_of(models: Sequence[Robustness]) -> list[list[str]]:
    """A table, its head first: accuracy at the three strengths of each condition."""
    rows = [["", *(f"{one.name}" for one in models)]]
    rows.append(["clean", *(f"{one.clean:.3f}" for one in models)])
    for name, (_, strengths, unit) in CONDITIONS.items():
        title = f"{name}: {', '.join(f'{s:g}' for s in strengths)} ({unit})"
        cells = [", ".join(f"{value:.3f}" for value in one.accuracy[name]) for one in models]
        rows.append([title, *cells])
    rows.append(["mean of all, relative to clean", *(f"{one.relative:.3f}" for one in models)])
    return rows
