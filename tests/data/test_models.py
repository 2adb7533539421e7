"""The models that ship, on the pictures their cards name."""

import json

import pytest

from fer_edge.evaluation.datasets import load
from fer_edge.evaluation.measure import measure
from fer_edge.modelcard import GOLDEN, list_cards, models_dir, read_model

# Twelve models on 3,258 faces each, in one fixture.
pytestmark = [pytest.mark.data, pytest.mark.timeout(600)]

CARDS = {card.name: card for card in list_cards(models_dir())}


@pytest.fixture(scope="module")
def measured(data):
    """Figures of every model on the test split without duplicates."""
    samples = load(f"ferplus:{data / 'ferplus.npz'}", "test")
    assert len(samples) == 3258
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
