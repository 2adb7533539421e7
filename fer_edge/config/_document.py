"""The reference of every setting, as Markdown, from the fields' own descriptions."""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fer_edge.config._describe import is_repeated, sections_in
from fer_edge.config._models import Config
from fer_edge.config._region import REGION_WORDS, Region

HEAD = """\
# Configuration

Made by `fer-edge config --markdown`; do not edit it. The service reads `/etc/fer-edge/config.toml`
([an example with every setting](../deploy/config.example.toml)). Stronger than the file is the
environment (`FER_EDGE__SECTION__FIELD`), stronger still the command line (`--set section.field=value`).
`fer-edge config` prints what is in effect.
"""

BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}

WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    Region: REGION_WORDS,
}


def document() -> str:
    """Every setting: what it takes, its default, what it does."""
    lines = [HEAD, *_table(Config, [n for n, f in Config.model_fields.items() if not _inner(f)])]
    for name, field in Config.model_fields.items():
        for section in _inner(field):
            lines += _section(f"[[{name}]]" if is_repeated(field) else f"[{name}]", section)
    return "\n".join(lines) + "\n"


def _section(head: str, section: type[BaseModel]) -> Iterator[str]:
    kind = section.model_fields.get("type")
    title = head if kind is None else f'{head} type = "{get_args(kind.annotation)[0]}"'
    yield from ("", f"## `{title}`", "", " ".join((section.__doc__ or "").split()), "")
    own = [n for n, f in section.model_fields.items() if n != "type" and not _inner(f)]
    yield from _table(section, own)
    for inner, field in section.model_fields.items():
        for one in _inner(field):
            yield from _section(f"[{head.strip('[]')}.{inner}]", one)


def _table(section: type[BaseModel], names: list[str]) -> Iterator[str]:
    if not names:
        yield "It has no further settings."
        return
    yield "| setting | takes | default | what it does |"
    yield "|---|---|---|---|"
    for name in names:
        field = section.model_fields[name]
        text = " ".join((field.description or "").split()).replace("|", "\\|")
        yield f"| `{name}` | {_takes(field)} | {_default(field)} | {text} |"


def _inner(field: FieldInfo) -> list[type[BaseModel]]:
    return list(sections_in(field.annotation))


def _takes(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    if get_origin(annotation) is tuple:
        return "list of points"
    if get_origin(annotation) in {types.UnionType, Union}:
        annotation = next(one for one in get_args(annotation) if one is not type(None))
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    bounds = [
        f"{sign} {getattr(one, key):g}"
        for one in field.metadata
        for key, sign in BOUNDS.items()
        if getattr(one, key, None) is not None
    ]
    return ", ".join([WORDS[annotation], *bounds])


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "the host name"
    if field.is_required():
        return "must be given"
    if field.default is None:
        return "none"
    value = field.default
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
