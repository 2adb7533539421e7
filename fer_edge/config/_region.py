"""A part of the picture, in shares of its width and height."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator

LEAST_SHARE: Final = 0.05
"""Smallest width and height of a region: no camera shows a face in less."""

REGION_WORDS: Final = "[x, y, width, height], each from 0 to 1"

_RULE: Final = (
    f"write it as {REGION_WORDS}, in shares of the picture; x + width and y + height at most 1, "
    f"width and height at least {LEAST_SHARE:g}"
)


def _region(value: Any) -> tuple[float, ...]:
    """Four numbers, also as text from the command line or the environment."""
    if isinstance(value, str):
        try:
            value = [float(one) for one in value.strip(" []").split(",")]
        except ValueError:
            raise ValueError(_RULE) from None
    numbers = value if isinstance(value, list | tuple) else ()
    if len(numbers) != 4 or not all(type(one) in (int, float) for one in numbers):
        raise ValueError(_RULE)
    x, y, width, height = (float(one) for one in numbers)
    inside = x >= 0 and y >= 0 and x + width <= 1 + 1e-6 and y + height <= 1 + 1e-6
    if not (inside and width >= LEAST_SHARE and height >= LEAST_SHARE):
        raise ValueError(_RULE)
    return x, y, width, height


Region = Annotated[tuple[float, float, float, float], BeforeValidator(_region)]
"""Left, top, width and height."""
