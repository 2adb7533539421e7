"""Boxes: area, overlap, scaling."""

from fer_edge.types import Box


def area(box: Box) -> float:
    """In square pixels."""
    return box.width * box.height


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (area(a) + area(b) - shared)


def scale(box: Box, factor: float) -> Box:
    """The box in a picture that is `factor` times as large."""
    return Box(box.x * factor, box.y * factor, box.width * factor, box.height * factor)
