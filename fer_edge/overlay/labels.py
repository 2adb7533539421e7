"""Where the labels lie: above their boxes, never on each other, and where they were if they can; pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from fer_edge.overlay.layout import Rect, Sizes, within


class Spot(StrEnum):
    """Where a face's label lies, the best first."""

    ABOVE = "above"
    """Its box; pushed back into the screen where that reaches over its edge."""
    BELOW = "below"
    HIGHER = "higher"
    """By one label."""
    HIGHEST = "highest"
    """By two."""


def label_rect(
    box: Rect, spot: Spot, size: tuple[int, int], sizes: Sizes, screen: tuple[int, int]
) -> Rect | None:
    """A label of this width and height; None where it would not be on the screen.

    It follows from its own box alone, and is pushed, not turned to another side: it moves as evenly
    as its face, and never jumps.
    """
    width, height = size
    x = within(box.x - sizes.line // 2, width, screen[0])
    above = box.y - height - sizes.gap // 2
    match spot:
        case Spot.ABOVE:
            return Rect(x, within(above, height, screen[1]), width, height)
        case Spot.BELOW:
            y = box.bottom + sizes.line + sizes.gap // 2
        case Spot.HIGHER:
            y = above - height - sizes.gap
        case Spot.HIGHEST:
            y = above - 2 * (height + sizes.gap)
    floor = screen[1] - (sizes.corner[1] if x < sizes.corner[0] else 0)
    return Rect(x, y, width, height) if 0 <= y <= floor - height else None


FREE, ON_A_FACE, ON_A_LABEL = range(3)
"""How bad a spot is. Above its own box, what else is there matters less: that is where one looks."""


def place_labels(
    boxes: Mapping[int, Rect],
    wanted: Mapping[int, tuple[int, int]],
    before: Mapping[int, Spot],
    sizes: Sizes,
    screen: tuple[int, int],
) -> tuple[dict[int, Spot], dict[int, Spot]]:
    """Where each face's label should be, and where it could better be.

    Args:
        boxes: Faces by id, in pixels of the screen, the most important first.
        wanted: Width and height of each label.
        before: Where labels were a moment ago: kept unless on another label, so that none jumps.
        sizes: Of this screen.
        screen: Its width and height.

    Returns:
        The spot of each face; and a better one for those that have one which displaces nobody.
    """
    spots = {
        face: {
            spot: rect
            for spot in Spot
            if (rect := label_rect(box, spot, wanted[face], sizes, screen)) is not None
        }
        for face, box in boxes.items()
    }
    chosen: dict[int, Spot] = {}

    def badness(face: int, spot: Spot, margin: int) -> int:
        rect = _wider(spots[face][spot], margin)
        labels = [spots[other][at] for other, at in chosen.items() if other != face]
        faces = [other for name, other in boxes.items() if name != face]
        if any(rect.meets(other) for other in labels):
            return ON_A_LABEL
        on_a_face = spot is not Spot.ABOVE and any(rect.meets(other) for other in faces)
        return ON_A_FACE if on_a_face else FREE

    def best(face: int) -> Spot:
        # With a margin, if possible: what only just fits will not for long.
        return min(
            spots[face],
            key=lambda spot: (badness(face, spot, 0), badness(face, spot, sizes.gap // 2)),
        )

    # A new face moves nobody's label.
    for face in sorted(boxes, key=lambda face: face not in before):
        old, new = before.get(face), best(face)
        stays = old in spots[face] and (
            badness(face, old, 0) < ON_A_LABEL or badness(face, new, 0) == ON_A_LABEL
        )
        chosen[face] = old if old is not None and stays else new
    order: Sequence[Spot] = list(Spot)
    better = {
        face: new
        for face in boxes
        if (badness(face, new := best(face), sizes.gap // 2), order.index(new))
        < (badness(face, chosen[face], 0), order.index(chosen[face]))
    }
    return {face: chosen[face] for face in boxes}, better


def _wider(rect: Rect, margin: int) -> Rect:
    return Rect(rect.x - margin, rect.y - margin, rect.width + 2 * margin, rect.height + 2 * margin)
