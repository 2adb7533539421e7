"""A detector whose new faces are believed only where YuNet sees one too.

The cascade finds faces in walls, curtains and leaves, most of them in the turned planes and among the small
ones, and finds them again in every frame.  YuNet is asked once for each new find, in its levelled
neighbourhood only; faces that are followed are not asked about.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from fer_edge.config import YuNetDetector
from fer_edge.types import Box, Detection, Detector, Picture
from fer_edge.vision.detectors.yunet import YuNet

LEAST_SCORE: Final = 0.3
"""Of YuNet's; lower than where it searches alone, since another detector has found a face there."""


class Verified:
    """Another detector, its new faces verified."""

    def __init__(self, detector: Detector) -> None:
        """Wrap a detector.

        Raises:
            ConfigError: YuNet's model is not there.
        """
        self._detector = detector
        self._yunet = YuNet(YuNetDetector(type="yunet", min_score=LEAST_SCORE))

    @property
    def turns(self) -> int:
        """Those of the detector."""
        return self._detector.turns

    def search(
        self, picture: Picture, known: Sequence[Box] = (), turn: int | None = 0
    ) -> list[Detection]:
        """Every face of a turn that both see, where none is `known`.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        return self._verified(picture, self._detector.search(picture, known, turn))

    def search_in_parts(
        self, picture: Picture, known: Sequence[Box] = (), turn: int = 0
    ) -> Iterator[list[Detection]]:
        """The same in the detector's steps.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        for found in self._detector.search_in_parts(picture, known, turn):
            yield self._verified(picture, found)

    def follow(self, picture: Picture, expected: Sequence[Detection]) -> Sequence[Detection]:
        """As the detector does.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        return self._detector.follow(picture, expected)

    def _verified(self, picture: Picture, found: Sequence[Detection]) -> list[Detection]:
        return [one for one in found if self._yunet.sees(picture, one)]
