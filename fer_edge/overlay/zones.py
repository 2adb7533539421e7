"""Parts of the picture with a name, and what is dimmed."""

from typing import Final

import numpy as np

from fer_edge.overlay.canvas import Image, bgr
from fer_edge.overlay.layout import Rect, View
from fer_edge.overlay.palette import BACKGROUND, FAINT, TEXT
from fer_edge.overlay.scene import ShownZone
from fer_edge.overlay.style import Brush

HATCH_LINES: Final = 40
"""Lines of hatching over the shorter side of a screen."""
DIMMED: Final = 0.45
"""Share of the light that is left of what is dimmed."""


def draw_zone(brush: Brush, view: View, zone: ShownZone) -> None:
    """Outline and name; an ignored one is hatched too."""
    import cv2

    corners = _corners(view, zone)
    sizes, channels = brush.style.sizes, brush.image.shape[2]
    colour = FAINT if zone.ignored else TEXT
    if zone.ignored:
        _hatch(brush.image, corners, max(1, sizes.line // 2))
    thin = max(1, sizes.line // 2)
    for ink, width in ((BACKGROUND, 3 * thin), (colour, thin)):
        cv2.polylines(brush.image, [corners], True, bgr(ink, channels), width, cv2.LINE_AA)
    px, gap = sizes.small, sizes.gap
    width, height = brush.width(zone.name, px) + 2 * gap, round(1.5 * px)
    screen_width, screen_height = brush.style.screen
    # At the corner that is highest, where no face's label begins.
    x, y = (int(value) for value in corners[int(corners[:, 1].argmin())])
    x = max(0, min(x + gap, screen_width - width))
    y = max(0, min(y + gap, screen_height - height))
    brush.card(Rect(x, y, width, height))
    top = y + (height - brush.line_height(px)) // 2
    brush.text((x + gap, top), zone.name, px, colour)


def dim(brush: Brush, box: Rect) -> None:
    """Take light from a part of the picture."""
    left, top = max(0, box.x), max(0, box.y)
    part = brush.image[top : max(0, box.bottom), left : max(0, box.right), :3]
    part[:] = (part * DIMMED).astype(np.uint8)


def _corners(view: View, zone: ShownZone) -> Image:
    """In pixels of the screen, [N, 2]."""
    area = view.area
    shares = np.array(zone.points)
    return np.asarray(
        np.rint(shares * (area.width, area.height) + (area.x, area.y)).astype(np.int32)
    )


def _hatch(image: Image, corners: Image, width: int) -> None:
    """Slanting lines within a polygon."""
    import cv2

    x, y, across, down = cv2.boundingRect(corners)
    lines, inside = np.zeros((2, down, across), np.uint8)
    step = max(8, min(image.shape[:2]) // HATCH_LINES)
    for start in range(-down, across, step):
        cv2.line(lines, (start, down), (start + down, 0), 255, width, cv2.LINE_AA)
    cv2.fillPoly(inside, [corners - (x, y)], 255)
    x0, y0 = max(0, x), max(0, y)
    part = image[y0 : y + down, x0 : x + across]
    drawn = cv2.bitwise_and(lines, inside)[y0 - y :, x0 - x :][: part.shape[0], : part.shape[1]]
    part[drawn > 127] = bgr(FAINT, image.shape[2])
