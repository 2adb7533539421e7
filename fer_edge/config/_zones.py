"""Parts of the picture that have a name: the section `[[zones]]`, which may be there many times."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from fer_edge.config._base import Section, Share

Corner = tuple[Share, Share]
"""Across and down, in shares of the picture."""

MOST_CORNERS: Final = 64


class ZoneConfig(Section):
    """A part of the picture with a name: people are counted in it, or not seen in it at all.

    There may be many. A face belongs to the first counting zone that holds the centre of its box, and
    to none if no zone does; it counts in the room all the same. An ignored zone is stronger than a
    counting one.
    """

    name: str = Field(min_length=1, max_length=40)
    """What messages and the screen call it; each zone has a name of its own."""
    points: Annotated[tuple[Corner, ...], Field(min_length=3, max_length=MOST_CORNERS)]
    """Its corners in order, each [across, down] in shares of the picture, which ends at 1, after
    `source.rotate` and `source.mirror`."""
    use: Literal["count", "ignore"] = "count"
    """`ignore`: no face is looked at there, such as those of the television or the street."""

    @field_validator("points", mode="before")
    @classmethod
    def _corners(cls, points: Any) -> Any:
        """One sentence for all that can be wrong, instead of one for each level of the list."""
        fits = isinstance(points, list | tuple) and 3 <= len(points) <= MOST_CORNERS
        if not fits or not all(map(_is_corner, points)):
            raise ValueError(
                f"give 3 to {MOST_CORNERS} corners, each [across, down], both from 0 to 1"
            )
        return points


def check_zones(zones: Sequence[ZoneConfig]) -> None:
    """Refuse, with a ValueError, what cannot be told apart or holds nothing."""
    names = [zone.name for zone in zones]
    for zone in zones:
        if not zone.name.isprintable() or not zone.name.strip():
            raise ValueError(f"the name {zone.name!r} cannot be read; use printable characters")
        if names.count(zone.name) > 1:
            raise ValueError(f"two zones have the name {zone.name!r}; give each one of its own")
        if _area(zone.points) == 0:
            raise ValueError(f"zone {zone.name!r} holds nothing; its points lie on one line")


def _is_corner(point: Any) -> bool:
    if not isinstance(point, list | tuple) or len(point) != 2:
        return False
    return all(type(share) in {int, float} and 0 <= share <= 1 for share in point)


def _area(points: Sequence[Corner]) -> float:
    """Of the polygon, by the shoelace formula, in shares of the picture's."""
    twice = sum(
        x * below - right * y
        for (x, y), (right, below) in zip(points, [*points[1:], points[0]], strict=True)
    )
    return round(abs(twice) / 2, 9)
