"""Benchmarks run seldom, so a test finds the names that they import and that are no more."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = [
    file
    for file in sorted((ROOT / "benchmarks").rglob("*"))
    if file.is_file()
    and (file.suffix == ".py" or file.read_bytes().startswith(b"#!/usr/bin/env python"))
]


def file_of(module):
    """The file of a module of the package or of benchmarks; None of another."""
    path = Path(*module.split("."))
    for folder in (ROOT, ROOT / "benchmarks"):
        for file in (folder / path.with_suffix(".py"), folder / path / "__init__.py"):
            if file.exists():
                return file
    return None


def names_in(file):
    """What a module defines or imports at its top level, and what stands beside it in its folder."""
    for node in ast.parse(file.read_text("utf-8")).body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.AnnAssign():
                yield node.target.id
    if file.name == "__init__.py":
        yield from (path.stem for path in file.parent.iterdir())


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_benchmark_imports_is_there(program):
    for node in ast.walk(ast.parse(program.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        file = file_of(node.module)
        mine = node.module.split(".")[0] in {"fer_edge", "measure", "reference"}
        assert (file is not None) == mine, node.module
        if mine:
            assert {alias.name for alias in node.names} <= set(names_in(file)), node.module
