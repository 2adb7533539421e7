"""docs/mqtt.md says what the program does; docs/programs.md names what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"


def reference(*arguments):
    return subprocess.run(
        [sys.executable, TESTS / "reference.py", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_generated_parts_are_the_ones_that_the_program_makes():
    done = reference("--check")
    assert done.returncode == 0, done.stderr


def test_a_wrong_argument_changes_nothing():
    done = reference()
    assert done.returncode == 1
    assert "--check|--write" in done.stderr


@pytest.mark.parametrize("document", ["mqtt.md", "programs.md"])
def test_what_a_document_links_to_is_there(document):
    text = (DOCS / document).read_text("utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []
