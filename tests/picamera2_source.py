"""picamera2's own source, which is read, not imported: importing it needs libcamera."""

import ast
import importlib.util
from pathlib import Path

HAS_PICAMERA2 = importlib.util.find_spec("picamera2") is not None


def real_parameters(name):
    """Names of the parameters of `FILE:CLASS.METHOD`, of its last definition: overloads come before."""
    file, _, method = name.partition(":")
    package = Path(importlib.util.find_spec("picamera2").origin).parent
    kind, function = method.split(".")
    tree = ast.parse((package / file).read_text())
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind).body
    found = [n for n in body if isinstance(n, ast.FunctionDef) and n.name == function]
    arguments = found[-1].args
    return tuple(argument.arg for argument in [*arguments.posonlyargs, *arguments.args])
