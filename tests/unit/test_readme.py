"""The README's figures are the cards', and what it names is there."""

import re
from pathlib import Path

import pytest

from fer_edge.errors import ConfigError
from fer_edge.modelcard import list_cards, models_dir
from fer_edge.training.publish import TIMES, written

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("path", "tables"),
    [("README.md", 1), ("models/README.md", 5)],
)
def test_the_figures_are_those_of_the_cards(path, tables):
    text = (ROOT / path).read_text()
    assert text.count("<!-- end of table -->") == tables
    cards = list_cards(models_dir())
    assert written(text, cards) == text
    other = cards[0].metrics.model_copy(update={"accuracy": 0.1234})
    changed = written(text, [card.model_copy(update={"metrics": other}) for card in cards])
    assert "| 0.123 |" in changed or "| .123 (" in changed


def test_the_overview_is_what_the_cards_say():
    table = README.split("<!-- table overview", 1)[1].split("<!-- end of table", 1)[0]
    rows = table.strip().splitlines()[3:]
    expected = [
        f"| {card.alpha:g} | {card.size_bytes / 1e6:.1f} MB | {metrics.accuracy:.3f} "
        f"| {metrics.macro_f1:.3f} | {metrics.valence.ccc:.2f}, {metrics.arousal.ccc:.2f} "
        f"| {TIMES[card.alpha]:g} × |"
        for card in list_cards(models_dir())
        for metrics in [card.metrics]
        if card.precision == "int8"
    ]
    assert rows == expected


def test_the_times_are_those_of_the_benchmark():
    section = (ROOT / "docs/benchmarks.md").read_text().split("## The network alone\n", 1)[1]
    rows = re.findall(r"^\| ([\d.]+) \| ([\d.]+) \|", section.split("\n## ")[0], re.MULTILINE)
    shares = {float(alpha): float(share) for alpha, share in rows}
    assert {alpha: round(share / shares[0.25], 1) for alpha, share in shares.items()} == TIMES


def test_the_front_page_is_short_and_has_one_picture():
    assert len(README.splitlines()) < 150
    assert README.count("![") == 1


def test_a_target_that_is_not_reached_is_marked():
    (card,) = [c for c in list_cards(models_dir()) if (c.alpha, c.precision) == (0.25, "int8")]
    found = dict.fromkeys(card.metrics.sensitivity, 0.9) | {"disgust": 0.29}
    figures = {"accuracy": 0.84, "normalised_accuracy": 0.7199, "macro_f1": 0.7}
    metrics = card.metrics.model_copy(update=figures | {"sensitivity": found})
    empty = "<!-- table targets -->\n<!-- end of table -->"
    row = written(empty, [card.model_copy(update={"metrics": metrics})]).splitlines()[3]
    assert (
        row == "| α = 0.25 | .840 ≥ .84 | .720 **<** .72 | .700 ≥ .69 | .290 **<** .50 (disgust) |"
    )


def test_a_table_that_nobody_knows_is_named():
    with pytest.raises(ConfigError, match="beauty -->: no such table; choose of overview"):
        written("<!-- table beauty -->\n<!-- end of table -->", [])


PAGES = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "models/README.md"),
    *("benchmarks/README.md", "benchmarks/peers/README.md"),
    *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))),
)
LINKS = [
    (page, link)
    for page in PAGES
    for link in sorted(set(re.findall(r"\]\((?!https?:)([^)]+)\)", (ROOT / page).read_text())))
]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_links_lead_somewhere(page, link):
    file, _, anchor = link.partition("#")
    target = (ROOT / page).parent / file if file else ROOT / page
    assert target.exists()
    if anchor:
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
        # As GitHub names them.
        named = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
        assert anchor in named


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\b(?:deploy|tests)/[\w.-]+", README))))
def test_files_that_are_named_exist(path):
    assert (ROOT / path).exists()
