"""What keys there are, read from the models themselves."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fer_edge.config._models import Config


def sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The section types that a field's annotation allows: one, or the members of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from sections_in(part)


def is_repeated(field: FieldInfo) -> bool:
    """Whether the field holds any number of sections, which TOML writes as `[[name]]`."""
    return get_origin(field.annotation) is tuple and bool(list(sections_in(field.annotation)))


def known_keys(location: tuple[str, ...], member: str = "") -> list[str]:
    """The keys below `location`, which is () for the top level.

    Of a section that has several types, those of the type `member`, or of any without it.
    """
    sections = [one for one in _sections_at(location) if not member or member in _types(one)]
    return sorted({key for section in sections for key in section.model_fields})


def known_types(location: tuple[str, ...]) -> list[str]:
    """What the `type` of the section at `location` may be."""
    return [name for section in _sections_at(location) for name in _types(section)]


def _types(section: type[BaseModel]) -> tuple[str, ...]:
    """The values of the literal in its field `type`."""
    field = section.model_fields.get("type")
    return () if field is None else get_args(field.annotation)


def _sections_at(location: tuple[str, ...]) -> list[type[BaseModel]]:
    models: list[type[BaseModel]] = [Config]
    for key in location:
        if key.isdecimal():  # the place of a section in a list of them
            continue
        models = [
            section
            for model in models
            if key in model.model_fields
            for section in sections_in(model.model_fields[key].annotation)
        ]
    return models
