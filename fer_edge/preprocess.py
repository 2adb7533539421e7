"""Face crop to network input: the only implementation, for training, evaluation and the edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.types import Box, GrayImage

if TYPE_CHECKING:
    from fer_edge.modelcard import InputSpec


LEAST_DEVIATION: Final = 3.0
"""Grey levels: a picture flatter than that is not made more contrasty than one with that deviation."""


def mirrored(crop: GrayImage) -> GrayImage:
    """A view of the crop turned round, left for right."""
    return crop[:, ::-1]


UPRIGHT_DEG: Final = 5.0
"""A face that is tilted less is cut as it is: the network learned to read it so."""


def crop_face(image: GrayImage, box: Box, *, margin: float, angle: float = 0.0) -> GrayImage:
    """Cut the square round a detector's box out of a luma plane, levelled.

    The square is centred on the box; its side is the longer side of the box times
    ``1 + 2 * margin``, so a negative margin cuts tighter than the box.  Pixels outside the
    picture repeat its edge.

    Args:
        image: ``[height, width]``; the box is in its pixels.
        box: where the face is; may reach outside the picture.
        margin: share of the box added on each side, from the model's card.
        angle: tilt of the head, degrees, clockwise in the picture.

    Returns:
        A contiguous, read-only copy, ``[side, side]``, at least 1 x 1.
    """
    height, width = image.shape
    side = max(1, round(max(box.width, box.height) * (1 + 2 * margin)))
    if abs(angle) > UPRIGHT_DEG:
        return _levelled(image, box, side, angle)
    left = math.floor(box.x + box.width / 2 - side / 2 + 0.5)
    top = math.floor(box.y + box.height / 2 - side / 2 + 0.5)
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        crop = image[top : top + side, left : left + side].copy()
    else:
        rows = np.clip(np.arange(top, top + side), 0, height - 1)
        columns = np.clip(np.arange(left, left + side), 0, width - 1)
        crop = image[rows[:, None], columns]
    crop.flags.writeable = False
    return crop


def _levelled(image: GrayImage, box: Box, side: int, angle: float) -> GrayImage:
    """The square of this side about the box's centre, turned so that the face is upright."""
    import cv2

    centre = (box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5)
    matrix = cv2.getRotationMatrix2D(centre, angle, 1)
    matrix[0, 2] += (side - 1) / 2 - centre[0]
    matrix[1, 2] += (side - 1) / 2 - centre[1]
    crop: GrayImage = cv2.warpAffine(  # type: ignore[assignment]
        image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    crop.flags.writeable = False
    return crop


def to_tensor(crops: Sequence[GrayImage], spec: InputSpec) -> NDArray[np.float32]:
    """Resize and normalise face crops into one network input.

    Shrinking averages areas, enlarging interpolates linearly.  Where the card states a mean and a
    deviation, every crop is brought to these, within 0 to 255; then ``pixel * scale + offset``.

    Args:
        crops: luma, each ``[height, width]`` of any size of at least 1 x 1.
        spec: what the model's card says of its input.

    Returns:
        ``[len(crops), spec.height, spec.width, spec.channels]``, float32, luma repeated over
        the channels.
    """
    import cv2

    tensor = np.empty((len(crops), spec.height, spec.width, spec.channels), np.float32)
    for row, crop in zip(tensor, crops, strict=True):
        shrinks = crop.shape[0] > spec.height or crop.shape[1] > spec.width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        # As float: a dark crop has few grey levels to round to.
        given = crop if spec.mean is None else crop.astype(np.float32)
        resized = cv2.resize(given, (spec.width, spec.height), interpolation=how)
        row[:] = _even_light(resized, spec)[..., None]
    tensor *= np.float32(spec.scale)
    tensor += np.float32(spec.offset)
    return tensor


def _even_light(picture: NDArray[Any], spec: InputSpec) -> NDArray[Any]:
    """Bring grey levels to the mean and the deviation that the card states, if it does."""
    if spec.mean is None or spec.deviation is None:
        return picture
    mean, deviation = float(picture.mean()), float(picture.std())
    gain = spec.deviation / max(deviation, LEAST_DEVIATION)
    return np.clip((picture - mean) * gain + spec.mean, 0, 255)
