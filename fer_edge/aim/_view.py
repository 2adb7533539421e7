"""A frame and its faces as the lines of a terminal; pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from fer_edge.aim._blocks import Depth, blocks, fit
from fer_edge.aim._figures import brightness, sharpness
from fer_edge.config import ZoneConfig
from fer_edge.types import UNCERTAIN, BgrImage, Face, Frame

BOX_COLOUR: Final = (0, 255, 255)
"""Yellow: blue, green, red."""
ZONE_COLOUR: Final = (80, 220, 80)
IGNORED_COLOUR: Final = (128, 128, 128)
TEXT_LINES: Final = 2
PLANE_PX: Final = 640
"""Width at which brightness and sharpness are measured."""


def view(
    frame: Frame,
    faces: Sequence[Face],
    *,
    columns: int,
    rows: int,
    depth: Depth,
    note: str = "",
    zones: Sequence[ZoneConfig] = (),
) -> list[str]:
    """At most `rows` lines of at most `columns` characters: the picture, and two lines of text.

    `note` takes the place of what is said of the faces. Outlines of `zones` are drawn into the picture.

    Raises:
        FrameError: the picture cannot be decoded.
    """
    picture = small_picture(frame, faces, columns, max(1, rows - TEXT_LINES), zones)
    bright, light = brightness(frame.picture.gray(PLANE_PX))
    sharp, focus = sharpness(frame.picture.gray(PLANE_PX))
    figures = f"brightness {bright:.0f} {light} · sharpness {sharp:.0f} {focus} · q ends"
    text = [figures, note or of_faces(faces)]
    return [*blocks(picture, depth), *(plain(line, columns) for line in text)][:rows]


def plain(text: str, columns: int) -> str:
    """As much as fits into a line, without what would steer the terminal: it may come from a camera."""
    return "".join(one if one.isprintable() else " " for one in text)[:columns]


def small_picture(
    frame: Frame,
    faces: Sequence[Face],
    columns: int,
    rows: int,
    zones: Sequence[ZoneConfig] = (),
) -> BgrImage:
    """The picture with its boxes and zones, in a pixel for each half character."""
    import cv2

    size = fit((frame.stamp.width, frame.stamp.height), columns, rows)
    whole = frame.picture.bgr(size[0])
    small = np.array(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)
    across, down = size[0] / frame.stamp.width, size[1] / frame.stamp.height
    for zone in zones:
        corners = np.rint(np.array(zone.points) * (size[0] - 1, size[1] - 1)).astype(np.int32)
        colour = IGNORED_COLOUR if zone.use == "ignore" else ZONE_COLOUR
        cv2.polylines(small, [corners], isClosed=True, color=colour)
    for face in faces:
        box = face.track.box
        ends = (
            (round(box.x * across), round(box.y * down)),
            (round((box.x + box.width) * across), round((box.y + box.height) * down)),
        )
        cv2.rectangle(small, *ends, BOX_COLOUR, 1)
    return small


def of_faces(faces: Sequence[Face]) -> str:
    """Who is in view, in a line."""
    if not faces:
        return "no face"
    said = (
        f"{UNCERTAIN if face.emotion is None else face.emotion.value} {face.confidence:.2f}, "
        f"{face.track.box.width:.0f} px wide"
        for face in faces
    )
    return f"{len(faces)} face{'s' if len(faces) > 1 else ''}: " + "; ".join(said)
