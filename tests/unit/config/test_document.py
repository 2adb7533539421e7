from pathlib import Path

from fer_edge.config import document, example
from fer_edge.config._describe import known_keys
from fer_edge.config._models import Config

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_reference_is_the_one_that_the_fields_make():
    assert DOCUMENT.read_text("utf-8") == document(), (
        "fer-edge config --markdown > docs/configuration.md"
    )


def test_the_example_is_the_one_that_the_fields_make():
    path = DOCUMENT.parents[1] / "deploy" / "config.example.toml"
    assert path.read_text("utf-8") == example(), (
        "fer-edge config --example > deploy/config.example.toml"
    )


def test_the_example_names_the_words_that_a_setting_takes():
    text = example()
    assert '# Least severity that is written. One of "debug", "info", "warning", "error".' in text
    assert "At most one of these sections:\n\n" in text


def test_it_names_every_setting():
    text = document()
    for section in Config.model_fields:
        for key in set(known_keys((section,))) - {"type", "names"}:
            assert f"| `{key}` |" in text, f"{section}.{key}"
    for word in known_keys(("overlay", "names")):
        assert f"| `{word}` |" in text


def test_no_setting_is_without_a_description():
    rows = [line for line in document().splitlines() if line.startswith("| `")]
    assert rows
    assert all(line.split(" | ")[3].strip(" |") for line in rows)
