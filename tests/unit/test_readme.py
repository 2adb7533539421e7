"""The README's figures are the cards', and what it names is there."""

import re
from pathlib import Path

import pytest

from fer_edge.modelcard import list_cards, models_dir

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_figures_are_those_of_the_cards():
    table = README.split("<!-- figures", 1)[1].split("<!-- end of figures", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("| α")]
    expected = [
        f"| α = {card.alpha:g} {card.precision} | {metrics.accuracy:.3f} "
        f"| {metrics.normalised_accuracy:.3f} | {metrics.macro_f1:.3f} "
        f"| {metrics.valence.ccc:.3f} | {metrics.arousal.ccc:.3f} |"
        for card in list_cards(models_dir())
        for metrics in [card.metrics]
    ]
    assert sorted(rows) == sorted(expected)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!https?:)([^)]+)\)", README))))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\b(?:deploy|tests)/[\w.-]+", README))))
def test_files_that_are_named_exist(path):
    assert (ROOT / path).exists()
