"""From a picture and what is known of it to the picture that people see; pure.

The same scene, placement and style give the same pixels. Nothing here knows of cameras or screens.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from fer_edge.overlay.canvas import Image, bgr, disc, polyline
from fer_edge.overlay.labels import Spot, label_rect
from fer_edge.overlay.layout import NO_PANEL, Placement, Rect, View, panel_rect
from fer_edge.overlay.palette import BACKGROUND, BAD, FAINT, GOOD, TEXT, Colour, colour_of
from fer_edge.overlay.panel import draw_panel
from fer_edge.overlay.scene import Scene, ShownFace, Status
from fer_edge.overlay.style import Brush, Style
from fer_edge.overlay.zones import dim, draw_zone
from fer_edge.types import BgrImage, Box

NO_SPOTS: Final[Mapping[int, Spot]] = MappingProxyType({})


def draw(
    picture: BgrImage | None,
    scene: Scene,
    placements: Mapping[int, Placement],
    style: Style,
    labels: Mapping[int, Spot] = NO_SPOTS,
) -> Image:
    """The screen's next picture, [height, width, 3 or 4], channels blue, green, red, opacity.

    Without a picture the background is black, or transparent where the style is. Without a
    placement a face has no panel, and its label is above its box.
    """
    view = View.of((scene.width, scene.height), style.screen)
    brush = Brush(_background(picture, view, style), style)
    boxes = {face.id: view.box(face.box) for face in scene.faces}
    _marks(brush, view, scene, boxes)
    for face in scene.faces:
        place = placements.get(face.id, NO_PANEL)
        rect = panel_rect(boxes[face.id], place.detail, place.side, style.sizes, style.screen)
        if rect is not None:
            draw_panel(brush, rect, face, place.detail)
    px = style.label_px(len(scene.faces))
    for face in reversed(scene.faces):
        spot, size = labels.get(face.id, Spot.ABOVE), style.label_size(face, px)
        rect = label_rect(boxes[face.id], spot, size, style.sizes, style.screen)
        if rect is not None:
            _label(brush, rect, face, px)
    if scene.status is not None:
        _status(brush, scene.status)
    if scene.notice:
        _notice(brush, scene.notice)
    return brush.image


def _background(picture: BgrImage | None, view: View, style: Style) -> Image:
    import cv2

    width, height = style.screen
    image = np.zeros((height, width, 4 if style.transparent else 3), np.uint8)
    if picture is not None:
        area = view.area
        # Averaging keeps a picture that is made smaller from shimmering; enlarging, it is blocky.
        smaller = area.width < picture.shape[1]
        how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        target = image[area.y : area.bottom, area.x : area.right, :3]
        target[:] = cv2.resize(picture, (area.width, area.height), interpolation=how)
    return image


def _marks(brush: Brush, view: View, scene: Scene, boxes: Mapping[int, Rect]) -> None:
    """What lies on the picture itself: zones, boxes, landmarks."""
    for zone in scene.zones:
        draw_zone(brush, view, zone)
    for face in scene.faces:
        if face.still:
            dim(brush, boxes[face.id])
        _frame(brush, boxes[face.id], FAINT if face.still else colour_of(face.emotion))
    for face in scene.faces:
        _points(brush, view, face)


def _frame(brush: Brush, box: Rect, colour: Colour) -> None:
    """The box, with a dark line on both sides so that it stands out from any picture."""
    import cv2

    line = brush.style.sizes.line
    corners = ((box.x, box.y), (box.right, box.bottom))
    channels = brush.image.shape[2]
    cv2.rectangle(brush.image, *corners, bgr(BACKGROUND, channels), line + 2 * max(1, line // 2))
    cv2.rectangle(brush.image, *corners, bgr(colour, channels), line)


def _points(brush: Brush, view: View, face: ShownFace) -> None:
    """Each landmark as a dot with a dark rim."""
    radius = 1.5 * brush.style.sizes.line
    for x, y in face.landmarks:
        place = view.box(Box(x, y, 0.0, 0.0))
        disc(
            brush.image,
            (place.x, place.y),
            radius + max(1, brush.style.sizes.line // 2),
            BACKGROUND,
        )
        disc(brush.image, (place.x, place.y), radius, colour_of(face.emotion))


def _label(brush: Brush, rect: Rect, face: ShownFace, px: int) -> None:
    gap, side = brush.style.label_gap(px), round(1.1 * px)
    brush.card(rect)
    if face.still:
        y = rect.y + (rect.height - brush.line_height(px)) // 2
        brush.text((rect.x + 2 * gap, y), brush.style.label_word(face), px, FAINT)
        return
    corner = (rect.x + gap, rect.y + (rect.height - side) // 2)
    brush.symbol(corner, face.emotion, side)
    y = rect.y + (rect.height - brush.line_height(px)) // 2
    brush.text((rect.x + 2 * gap + side, y), brush.style.word(face.emotion), px, TEXT)
    percent = f"{face.confidence:.0%}".replace("%", " %")
    right = rect.right - gap - brush.width(percent, px)
    brush.text((right, y), percent, px, TEXT if face.emotion else FAINT)


def _status(brush: Brush, status: Status) -> None:
    """Bottom left: frames a second, latency, and whether the broker is connected.

    Each figure has the room of the widest and ends at the same place whatever it is.
    """
    px, gap = brush.style.status_px(), brush.style.sizes.gap
    columns = [("00.0 fps", f"{status.rate_hz:.1f} fps")]
    if status.latency_ms is not None:
        columns.append(("0000 ms", f"{min(status.latency_ms, 9999):.0f} ms"))
    widths = [brush.width(widest, px) for widest, _ in columns]
    side = round(0.6 * px)
    broker = brush.width("MQTT", px) + side + 2 * gap if status.broker is not None else 0
    height = round(1.5 * px)
    width = sum(widths) + (len(widths) + 1) * gap + broker
    rect = Rect(gap, brush.style.screen[1] - height - gap, width, height)
    brush.card(rect)
    x = rect.x + gap
    y = rect.y + (height - brush.line_height(px)) // 2
    for column, (_, text) in zip(widths, columns, strict=True):
        brush.text((x + column - brush.width(text, px), y), text, px, TEXT)
        x += column + gap
    if status.broker is not None:
        centre = (x + gap // 2 + side / 2, rect.y + height / 2)
        _broker_mark(brush, centre, side, connected=status.broker)
        brush.text((x + side + gap, y), "MQTT", px, TEXT)


def _broker_mark(brush: Brush, centre: tuple[float, float], side: int, *, connected: bool) -> None:
    """A disc while connected, a cross while not."""
    x, y = centre
    half = side / 2
    if connected:
        disc(brush.image, centre, half, GOOD)
        return
    width = max(2, brush.style.sizes.line)
    polyline(brush.image, [(x - half, y - half), (x + half, y + half)], BAD, width)
    polyline(brush.image, [(x - half, y + half), (x + half, y - half)], BAD, width)


def _notice(brush: Brush, text: str) -> None:
    """One line in the middle."""
    sizes, screen = brush.style.sizes, brush.style.screen
    width, height = brush.width(text, sizes.label) + 4 * sizes.gap, 2 * sizes.label
    rect = Rect((screen[0] - width) // 2, (screen[1] - height) // 2, width, height)
    brush.card(rect)
    y = rect.y + (height - brush.line_height(sizes.label)) // 2
    brush.text((rect.x + 2 * sizes.gap, y), text, sizes.label, TEXT)
