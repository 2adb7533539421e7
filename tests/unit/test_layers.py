"""Who may import whom: the rooms of the design, held by a test."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fer_edge

PACKAGE = Path(fer_edge.__file__).parent

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def rows(heading):
    """Cells of the table below `heading` in docs/architecture.md, names without backquotes."""
    section = ARCHITECTURE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:-1]] for line in lines]


LAYERS = [set(names) for names, *_ in rows("Who may import whom")]
FOUNDATION = 1
ROOMS = 2
NEIGHBOURS = {("sinks", "overlay")}

FENCES = {package: set(files) for (package,), files in rows("Where other packages may be imported")}
DYNAMIC = {"ai_edge_litert", "tflite_runtime"}
"""Imported by name, whichever is installed."""
TRAINING_ONLY = {"tensorflow", "keras", "torch", "jax"}

FILES = sorted(PACKAGE.rglob("*.py"))
OUTSIDE_TRAINING = [file for file in FILES if "training" not in file.relative_to(PACKAGE).parts]


def imported(file):
    """Every module that a file imports, at any depth, as dotted names."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module
            if node.module == "fer_edge":
                yield from (f"fer_edge.{alias.name}" for alias in node.names)


def room_of(file):
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer_of(room):
    return next(index for index, layer in enumerate(LAYERS) if room in layer)


def module_of(file):
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def name(file):
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("file", OUTSIDE_TRAINING, ids=name)
def test_imports_go_down(file):
    mine = room_of(file)
    for module in imported(file):
        parts = module.split(".")
        if parts[0] != "fer_edge" or len(parts) == 1 or parts[1] in {mine, "__version__"}:
            continue
        theirs = parts[1]
        assert theirs != "training", f"{file} imports training"
        if layer_of(theirs) == layer_of(mine) == FOUNDATION:
            continue
        allowed = layer_of(theirs) < layer_of(mine) or (mine, theirs) in NEIGHBOURS
        assert allowed, f"{name(file)} imports {module}"


@pytest.mark.parametrize("file", OUTSIDE_TRAINING, ids=name)
def test_third_parties_stay_behind_their_fences(file):
    where = str(file.relative_to(PACKAGE))
    for module in imported(file):
        top = module.split(".")[0]
        assert top not in TRAINING_ONLY, f"{where} imports {module}"
        assert where in FENCES.get(top, {where}), f"{where} imports {module}"


@pytest.mark.parametrize("file", ["pipeline.py", "vision/stage.py", "affect/stage.py"])
def test_the_pipeline_knows_no_configuration(file):
    assert not [m for m in imported(PACKAGE / file) if m.startswith("fer_edge.config")]


@pytest.mark.parametrize("file", OUTSIDE_TRAINING, ids=name)
def test_threads_are_made_in_one_module(file):
    makers = {"Thread", "Timer", "ThreadPoolExecutor"}
    names = {
        node.attr
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
    }
    names |= {
        a.name
        for n in ast.walk(ast.parse(file.read_text()))
        if isinstance(n, ast.ImportFrom)
        for a in n.names
    }
    assert not names & makers or name(file) == "worker.py"


def test_every_file_has_a_layer():
    rooms = {room_of(file) for file in OUTSIDE_TRAINING}
    assert rooms == set().union(*LAYERS)


def test_every_fence_is_around_something():
    where = {name(file): {one.split(".")[0] for one in imported(file)} for file in FILES}
    for package, files in FENCES.items():
        for file in files:
            assert package in where[file] or package in DYNAMIC, f"{file} does not import {package}"


def uses(file, modules):
    """Those of `modules` that a file imports; `from room import module` is the module, not the room."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from modules & {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from modules & {inner if inner in modules else node.module}


def test_no_two_files_import_each_other_in_a_circle():
    modules = {module_of(file) for file in OUTSIDE_TRAINING}
    graph = {module_of(file): uses(file, modules) for file in OUTSIDE_TRAINING}
    TopologicalSorter(graph).prepare()
