"""Boxes: area, overlap, scaling."""

from dataclasses import replace
from typing import Final

from fer_edge.types import Box, Detection

SAME_FACE: Final = 0.3
"""Intersection over union from which two boxes are of one face."""
MOSTLY_INSIDE: Final = 0.5
"""Share of the smaller box from which it is part of the larger one's face: a tilted plane sometimes shows a
cascade a second, smaller face in one."""


def area(box: Box) -> float:
    """In square pixels."""
    return box.width * box.height


def _shared(a: Box, b: Box) -> float:
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return width * height if width > 0 and height > 0 else 0.0


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    shared = _shared(a, b)
    return shared / (area(a) + area(b) - shared) if shared else 0.0


def same_place(a: Box, b: Box) -> bool:
    """Whether two boxes are of one face: they overlap, or one lies mostly in the other."""
    shared = _shared(a, b)
    return iou(a, b) >= SAME_FACE or shared > MOSTLY_INSIDE * min(area(a), area(b))


def scale(box: Box, factor: float) -> Box:
    """The box in a picture that is `factor` times as large."""
    return Box(box.x * factor, box.y * factor, box.width * factor, box.height * factor)


def moved_to(found: Detection, box: Box) -> Detection:
    """The same face at another box, its landmarks moved with it."""
    across = box.x - found.box.x + (box.width - found.box.width) / 2
    down = box.y - found.box.y + (box.height - found.box.height) / 2
    landmarks = tuple((x + across, y + down) for x, y in found.landmarks)
    return replace(found, box=box, landmarks=landmarks)
