"""deploy/audit and deploy/release: what they refuse, and how an audit ends."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A repository with what these scripts read."""
    root = tmp_path / "check out"
    (root / "fer_edge").mkdir(parents=True)
    shutil.copytree(CHECKOUT / "deploy", root / "deploy")
    shutil.copy(CHECKOUT / "pyproject.toml", root)
    (root / "fer_edge/__init__.py").write_text('__version__ = "1.2.3"\n')
    (root / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n## 1.2.2 (2026-11-27)\n")
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=all"]):
        subprocess.run([*git, *command], cwd=root, check=True)
    return root


def run(script, *arguments, **environ):
    return subprocess.run(
        [script, *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_release_of_a_version_that_the_changelog_does_not_know(checkout, tmp_path):
    done = run(checkout / "deploy/release", tmp_path / "out")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "CHANGELOG.md begins with 'Unreleased'" in done.stderr
    assert "1.2.3" in done.stderr


def test_no_release_of_changes_that_are_not_committed(checkout, tmp_path):
    (checkout / "new").touch()
    done = run(checkout / "deploy/release", tmp_path / "out")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "not committed" in done.stderr
    assert not (tmp_path / "out").exists()


FOUND = {"name": "pip", "version": "1.0", "vulns": [{"id": "PYSEC-1"}]}
GOOD = {"name": "numpy", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "typer", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([GOOD], 0, ""),
        ([GOOD, FOUND, UNKNOWN], 1, "vulnerable: pip 1.0: PYSEC-1"),
        ([GOOD, UNKNOWN], 69, "not audited: 1 versions"),
        ([], 69, "not audited"),
        (None, 69, "not audited: deploy/locks/build.txt: no such host"),
    ],
)
def test_an_audit_does_not_pass_by_skipping(checkout, tmp_path, packages, status, words):
    """The answers of the list of vulnerabilities stand in for the list, which changes every day."""
    answer = "echo no such host >&2; exit 1"
    if packages is not None:
        answer = f"echo '{json.dumps({'dependencies': packages})}'; exit 1"
    (tmp_path / "pip-audit").write_text(f"#!/bin/sh\n{answer}\n")
    (tmp_path / "pip-audit").chmod(0o755)
    done = run(checkout / "deploy/audit", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(words)
    assert ("none known to be vulnerable" in done.stdout) == (status == 0)


@pytest.mark.parametrize("arguments", [[], ["sid", "arm64"], ["trixie", "armhf"]])
def test_packages_are_made_for_what_is_known(arguments):
    done = run(CHECKOUT / "deploy/debian/build", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "bookworm|trixie arm64|amd64" in done.stderr
