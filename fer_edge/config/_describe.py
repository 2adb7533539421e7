"""What keys there are, read from the models themselves."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from fer_edge.config._models import Config


def sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The section types that a field's annotation allows: one, or the members of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from sections_in(part)


def known_keys(location: tuple[str, ...]) -> list[str]:
    """The keys below `location`, which is () for the top level; of a union, those of any member."""
    models: list[type[BaseModel]] = [Config]
    for key in location:
        models = [
            section
            for model in models
            if key in model.model_fields
            for section in sections_in(model.model_fields[key].annotation)
        ]
    return sorted({key for model in models for key in model.model_fields})
