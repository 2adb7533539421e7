"""Boxes: overlap, scaling, clipping."""

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


def blend(old: Box, new: Box, weight: float) -> Box:
    """Between `old` (weight 0) and `new` (weight 1)."""
    return Box(
        old.x + (new.x - old.x) * weight,
        old.y + (new.y - old.y) * weight,
        old.width + (new.width - old.width) * weight,
        old.height + (new.height - old.height) * weight,
    )


def clip(box: Box, width: int, height: int) -> Box:
    """The part of the box inside a picture of `width` × `height` pixels; may be empty."""
    left, top = min(max(box.x, 0.0), width), min(max(box.y, 0.0), height)
    right = min(max(box.x + box.width, 0.0), width)
    bottom = min(max(box.y + box.height, 0.0), height)
    return Box(left, top, right - left, bottom - top)
