"""The models that ship, on the pictures their cards name."""

import json
import re
from pathlib import Path

import pytest

from fer_edge.evaluation.datasets import load
from fer_edge.evaluation.measure import evaluate, measure
from fer_edge.modelcard import GOLDEN, list_cards, models_dir, read_model

# Twelve models on 3,258 faces each, in one fixture.
pytestmark = [pytest.mark.data, pytest.mark.timeout(600)]

CARDS = {card.name: card for card in list_cards(models_dir())}
INT8 = [card for card in CARDS.values() if card.precision == "int8"]
README = Path(__file__).parents[2] / "models/README.md"


@pytest.fixture(scope="module")
def samples(data):
    """The test split without duplicates."""
    found = load(f"ferplus:{data / 'ferplus.npz'}", "test")
    assert len(found) == 3258
    return found


@pytest.fixture(scope="module")
def measured(samples):
    """Figures of every model."""
    return {
        name: measure(card, read_model(card, models_dir()), samples) for name, card in CARDS.items()
    }


@pytest.mark.parametrize("name", CARDS)
def test_a_card_says_what_its_file_does(measured, name) -> None:
    stated, found = CARDS[name].metrics, measured[name]
    assert found.samples == stated.samples
    # Another processor's kernels may turn a face or two.
    for figure in ("accuracy", "normalised_accuracy", "macro_f1", "normalised_f1"):
        assert getattr(found, figure) == pytest.approx(getattr(stated, figure), abs=0.004)
    for axis in ("valence", "arousal"):
        assert getattr(found, axis).ccc == pytest.approx(getattr(stated, axis).ccc, abs=0.004)


@pytest.mark.parametrize("name", CARDS)
def test_no_figure_falls_below_the_golden_one(measured, name) -> None:
    floors = json.loads((models_dir() / GOLDEN).read_text())[name]
    assert floors
    for figure, floor in floors.items():
        assert getattr(measured[name], figure) >= floor, figure


def test_every_model_has_golden_figures_and_beats_what_people_use(measured) -> None:
    golden = json.loads((models_dir() / GOLDEN).read_text())
    assert set(golden) == set(CARDS)
    for figures in measured.values():
        # face-api 1.7.15's accuracy and normalised accuracy, fer 25.10.3's macro F1.
        assert figures.accuracy > 0.636
        assert figures.normalised_accuracy > 0.544
        assert figures.macro_f1 > 0.450


@pytest.mark.parametrize("card", INT8, ids=lambda card: card.name)
def test_mirror_images_bring_what_the_readme_says(measured, samples, card) -> None:
    """Its columns after validation: each figure without and with the mirror images."""
    (row,) = re.findall(
        rf"^\| α = {card.alpha:g} \|(?: [.\d]+, [.\d]+ \|)+$", README.read_text(), re.MULTILINE
    )
    pairs = [tuple(map(float, cell)) for cell in re.findall(r"([.\d]+), ([.\d]+)", row)][1:]
    alone = measured[card.name]
    both = evaluate(card, read_model(card, models_dir()), samples, mirror=True).figures
    stated = [
        (one.accuracy, one.macro_f1, one.valence.ccc, one.arousal.ccc) for one in (alone, both)
    ]
    for pair, found in zip(pairs, zip(*stated, strict=True), strict=True):
        assert pair == pytest.approx(found, abs=0.004)
