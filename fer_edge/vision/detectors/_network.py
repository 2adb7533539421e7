"""What detectors by a network have in common: searches in turn, and following in a levelled neighbourhood."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import cv2

from fer_edge.config import CenterFaceDetector, YuNetDetector
from fer_edge.geometry import iou, same_place
from fer_edge.types import Box, Detection, GrayImage, Picture
from fer_edge.vision.detectors._planes import Turned, even_light
from fer_edge.vision.detectors._regions import best, cut_region, enlarged, shrunk

TURN_DEG: Final = 40.0
"""Between planes: the networks find most heads that are tilted by 30 degrees, few beyond."""

FINE_WIDTH: Final = 1.5
"""Width of the plane for small faces, in widths of the usual one."""

FOLLOW_REACH: Final = 0.45
"""How far that neighbourhood reaches round the face, as a share of its side."""


class NetworkDetector:
    """A detector around ``find``, which finds the faces in a plane of any size."""

    def __init__(
        self,
        config: YuNetDetector | CenterFaceDetector,
        find: Callable[[GrayImage], list[Detection]],
        *,
        follow_side: int,
    ) -> None:
        self._config = config
        self._follow_side = follow_side
        self._find = find
        steps = range(1, int((config.max_tilt_deg + TURN_DEG / 2) // TURN_DEG) + 1)
        tilted = [(sign * n * TURN_DEG, 1.0) for n in steps for sign in (1, -1)]
        self._turns = [(0.0, 1.0), (0.0, FINE_WIDTH), *tilted]
        if config.threads:
            cv2.setNumThreads(config.threads)

    @property
    def turns(self) -> int:
        """Upright; small; tilted to either side."""
        return len(self._turns)

    def search(
        self,
        picture: Picture,
        known: Sequence[Box] = (),  # noqa: ARG002  a network's cost does not depend on them
        turn: int | None = 0,
    ) -> list[Detection]:
        """Every face of a turn, those that are `known` too.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        turns = self._turns if turn is None else [self._turns[turn % len(self._turns)]]
        found: list[Detection] = []
        for angle, wider in turns:
            width = min(round(self._config.search_width * wider), picture.width)
            turned = Turned.of(even_light(shrunk(picture, width)), angle)
            back = (turned.back(one) for one in self._find(turned.plane))
            found += [enlarged(one, picture.width / width) for one in back]
        least = self._config.min_face * picture.height
        return best([one for one in found if one.box.width >= least])

    def search_in_parts(
        self, picture: Picture, known: Sequence[Box] = (), turn: int = 0
    ) -> Iterator[list[Detection]]:
        """The same in one step: a network cannot be stopped half way.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        yield self.search(picture, known, turn)

    def follow(self, picture: Picture, expected: Sequence[Detection]) -> list[Detection]:
        """The face nearest to each expected one, looked for in its levelled neighbourhood.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        found = (self._near(picture, one) for one in expected)
        return [detection for detection in found if detection is not None]

    def sees(self, picture: Picture, detection: Detection) -> bool:
        """Whether there is a face where another detector found one.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        found = self._near(picture, detection)
        return found is not None and same_place(found.box, detection.box)

    def _near(self, picture: Picture, expected: Detection) -> Detection | None:
        region = cut_region(picture, expected, side=self._follow_side, reach=FOLLOW_REACH)
        if region is None:
            return None
        found = [region.back(one) for one in self._find(even_light(region.plane))]
        nearest = max(found, key=lambda one: iou(one.box, expected.box), default=None)
        return nearest if nearest is not None and iou(nearest.box, expected.box) else None
