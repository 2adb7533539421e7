"""Where the labels lie: above their boxes, never on each other, and where they were if they can; pure."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from fer_edge.overlay.layout import Rect, Sizes, within


class Spot(StrEnum):
    """Where a face's label lies, the best first."""

    ABOVE = "above"
    """Above its box; pushed back into the screen where that reaches over its edge."""
    BELOW = "below"
    HIGHER = "higher"
    """Above its box, one label further up."""
    HIGHEST = "highest"
    """Two labels further up."""


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


class Cover(IntEnum):
    """What a label covers at a spot, the least harmful first."""

    NOTHING = 0
    """Or a face, but above its own box, which is where a reader looks."""
    FACE = 1
    LABEL = 2


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
    rects = {
        face: {
            spot: rect
            for spot in Spot
            if (rect := label_rect(box, spot, wanted[face], sizes, screen)) is not None
        }
        for face, box in boxes.items()
    }
    labels = _Labels(boxes, rects, margin=sizes.gap // 2)
    # A new face moves nobody's label.
    for face in sorted(boxes, key=lambda face: face not in before):
        labels.place(face, before.get(face))
    better = {face: spot for face in boxes if (spot := labels.better(face)) is not None}
    return {face: labels.placed[face] for face in boxes}, better


class _Labels:
    """The labels that are placed so far, and what each spot would cover."""

    def __init__(
        self, boxes: Mapping[int, Rect], rects: Mapping[int, Mapping[Spot, Rect]], *, margin: int
    ) -> None:
        self.placed: dict[int, Spot] = {}
        self._boxes = boxes
        self._rects = rects
        """Of each face, the spots that are on the screen."""
        self._margin = margin

    def place(self, face: int, old: Spot | None) -> None:
        """Place a label where it was, unless it lies on another there and could lie elsewhere."""
        best = self._best(face)
        if old is None or old not in self._rects[face]:
            self.placed[face] = best
            return
        keeps = self._cover(face, old) < Cover.LABEL or self._cover(face, best) == Cover.LABEL
        self.placed[face] = old if keeps else best

    def better(self, face: int) -> Spot | None:
        """A spot that is better than the label's own, with a margin; None if there is none."""
        order = list(Spot)
        best, own = self._best(face), self.placed[face]
        best_rank = self._cover(face, best, self._margin), order.index(best)
        return best if best_rank < (self._cover(face, own), order.index(own)) else None

    def _best(self, face: int) -> Spot:
        # With a margin, if possible: what only just fits will not for long.
        return min(
            self._rects[face],
            key=lambda spot: (self._cover(face, spot), self._cover(face, spot, self._margin)),
        )

    def _cover(self, face: int, spot: Spot, margin: int = 0) -> Cover:
        rect = _wider(self._rects[face][spot], margin)
        labels = (self._rects[other][at] for other, at in self.placed.items() if other != face)
        if any(rect.overlaps(other) for other in labels):
            return Cover.LABEL
        faces = (box for other, box in self._boxes.items() if other != face)
        if spot is not Spot.ABOVE and any(rect.overlaps(other) for other in faces):
            return Cover.FACE
        return Cover.NOTHING


def _wider(rect: Rect, margin: int) -> Rect:
    return Rect(rect.x - margin, rect.y - margin, rect.width + 2 * margin, rect.height + 2 * margin)
