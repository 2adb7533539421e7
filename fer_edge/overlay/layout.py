"""Sizes that follow the screen, and where the panels lie; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from fer_edge.overlay.scene import Detail, Side
from fer_edge.types import Box

ROWS = 8
"""Number of bars in a panel, one for each emotion."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """In pixels of the screen.

    Readable from two metres, on a television and on a 3.5-inch panel (docs/experiments.md).
    """

    label: int
    """Type size of emotion and confidence."""
    small: int
    """Type size of everything else."""
    line: int
    """Thickness of a face's box."""
    gap: int
    """Space between box, label and panel, and within a panel."""
    row: int
    """Height of a bar's row."""
    figures: int
    """Height of the line with valence and arousal in figures; 0 on a low screen."""
    circle: int
    """Side of the square around the circumplex."""
    panel: int
    """Width of a panel with bars."""
    names: int
    """Part of that width for symbol and name of an emotion."""
    corner: tuple[int, int]
    """Width and height that the figures in the lower left corner may take."""

    @classmethod
    def of(cls, width: int, height: int, *, scale: float = 1.0) -> Self:
        """For a screen of this size; `scale` is a factor on every size."""
        short = min(width, height)
        label = (23 + 0.021 * short) * scale
        small = (8.5 + 0.0205 * short) * scale
        return cls(
            label=round(label),
            small=round(small),
            line=max(2, round(short / 270 * scale)),
            gap=max(4, round(0.26 * label)),
            row=round(1.15 * small),
            figures=round(1.4 * small) if short >= 480 else 0,
            circle=round(4.4 * small + 0.06 * short * scale),
            panel=round(11 * small),
            names=round(6.2 * small),
            corner=(round(14.5 * small), round(1.5 * small) + 2 * max(4, round(0.26 * label))),
        )

    def panel_size(self, detail: Detail) -> tuple[int, int]:
        """Width and height of a face's panel."""
        match detail:
            case Detail.FULL:
                bars = ROWS * self.row
                return self.panel, self.circle + self.figures + bars + 3 * self.gap
            case Detail.CIRCUMPLEX:
                side = self.circle + 2 * self.gap
                return side, side
            case Detail.NONE:
                return 0, 0


@dataclass(frozen=True, slots=True)
class Rect:
    """Whole pixels of the screen."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column past it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row past it."""
        return self.y + self.height

    def overlaps(self, other: "Rect") -> bool:
        """Whether the two have a pixel in common."""
        across = min(self.right, other.right) > max(self.x, other.x)
        return across and min(self.bottom, other.bottom) > max(self.y, other.y)


@dataclass(frozen=True, slots=True)
class View:
    """Where on the screen the camera's picture lies: complete, centred, undistorted."""

    screen: tuple[int, int]
    area: Rect
    factor: float
    """Pixels of the screen for one of the frame."""

    @classmethod
    def of(cls, frame: tuple[int, int], screen: tuple[int, int]) -> Self:
        """Both sizes as width and height in pixels."""
        factor = min(screen[0] / frame[0], screen[1] / frame[1])
        width, height = (max(1, round(side * factor)) for side in frame)
        area = Rect((screen[0] - width) // 2, (screen[1] - height) // 2, width, height)
        return cls(screen, area, factor)

    def box(self, box: Box) -> Rect:
        """A box of the frame on the screen."""
        return Rect(
            self.area.x + round(box.x * self.factor),
            self.area.y + round(box.y * self.factor),
            round(box.width * self.factor),
            round(box.height * self.factor),
        )


def panel_rect(
    box: Rect, detail: Detail, side: Side, sizes: Sizes, screen: tuple[int, int]
) -> Rect | None:
    """The panel beside the box; None where the screen is too narrow or too low for it."""
    width, height = sizes.panel_size(detail)
    gap = sizes.gap + sizes.line
    top = box.y - sizes.line // 2
    floor = screen[1]
    match side:
        case Side.RIGHT | Side.LEFT:
            x = box.right + gap if side is Side.RIGHT else box.x - gap - width
            floor -= sizes.corner[1] if x < sizes.corner[0] else 0
            # A label that was pushed back into the screen lies beside the box, too.
            label = round(1.5 * sizes.label) + sizes.gap
            y = label if top < label else min(top, floor - height)
        case Side.BELOW:
            x, y = within(box.x - sizes.line // 2, width, screen[0]), box.bottom + gap
            floor -= sizes.corner[1]
        case Side.ABOVE:
            x = within(box.x - sizes.line // 2, width, screen[0])
            y = top - round(1.5 * sizes.label) - 2 * sizes.gap - height
            floor -= sizes.corner[1] if x < sizes.corner[0] else 0
        case Side.INSIDE:
            floor -= sizes.corner[1]
            right, bottom = min(box.right, screen[0]), min(box.bottom, floor)
            x, y = right - gap - width, bottom - gap - height
            if 2.5 * max(width, height) > min(right - max(0, box.x), bottom - max(0, box.y)):
                return None
    if x < 0 or x + width > screen[0] or y < 0 or y + height > floor:
        return None
    return Rect(x, y, width, height)


def within(start: int, length: int, limit: int) -> int:
    """Where something of this length begins, pushed back between 0 and the limit."""
    return max(0, min(start, limit - length))


@dataclass(frozen=True, slots=True)
class Placement:
    """How a face's panel is shown."""

    detail: Detail
    side: Side


CHOICES = (
    *(Placement(Detail.FULL, side) for side in (Side.RIGHT, Side.LEFT, Side.BELOW, Side.ABOVE)),
    *(Placement(Detail.CIRCUMPLEX, side) for side in Side),
)
"""The best first."""
NO_PANEL = Placement(Detail.NONE, Side.RIGHT)


def place_panels(
    boxes: Mapping[int, Rect],
    before: Mapping[int, Placement],
    sizes: Sizes,
    screen: tuple[int, int],
    taken: Sequence[Rect] = (),
) -> tuple[dict[int, Placement], dict[int, Placement]]:
    """What each face's panel should be, and what it could be.

    Args:
        boxes: Faces by id, in pixels of the screen, the most important first.
        before: What was shown a moment ago: kept as long as it fits, so that nothing flaps.
        sizes: Of this screen.
        screen: Its width and height.
        taken: Where no panel may lie, such as labels.

    Returns:
        For each face what fits, preferring what was there before; and the best that would fit.
    """
    chosen: dict[int, Placement] = {}
    best: dict[int, Placement] = {}
    occupied = list(taken)
    for face, box in boxes.items():
        others = occupied + [other for name, other in boxes.items() if name != face]
        fitting = {
            choice: rect
            for choice in CHOICES
            if (rect := panel_rect(box, choice.detail, choice.side, sizes, screen)) is not None
            and not any(rect.overlaps(other) for other in others)
        }
        best[face] = next(iter(fitting), NO_PANEL)
        chosen[face] = before[face] if before.get(face) in fitting else best[face]
        if chosen[face] in fitting:
            occupied.append(fitting[chosen[face]])
    return chosen, best
