"""The vision stage: a frame in, its followed faces and their crops out."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from fer_edge.geometry import same_place, scale
from fer_edge.preprocess import crop_face
from fer_edge.stats import Statistics
from fer_edge.types import (
    Box,
    Detection,
    Detector,
    FaceBatch,
    Frame,
    Gap,
    GrayImage,
    Picture,
    Stamp,
    Track,
)
from fer_edge.vision.pace import Pace
from fer_edge.vision.search import IdleRate, Search
from fer_edge.vision.stillness import Stillness
from fer_edge.vision.tracker import Tracker
from fer_edge.vision.zones import Zones


def distinct(detections: Sequence[Detection]) -> list[Detection]:
    """Each face once; of two that overlap, the first."""
    kept: list[Detection] = []
    for detection in detections:
        if not any(same_place(detection.box, other.box) for other in kept):
            kept.append(detection)
    return kept


class VisionStage:
    """Finds, follows and cuts out the faces of a frame.

    A known face is looked for in its own neighbourhood, in every frame or, while it moves steadily, in
    every other one; the whole picture is searched only now and then.
    """

    def __init__(
        self,
        detector: Detector,
        tracker: Tracker,
        search: Search,
        *,
        zones: Zones | None = None,
        stillness: Stillness | None = None,
        idle: IdleRate | None = None,
        margin: float,
        crop_px: int,
        statistics: Statistics | None = None,
    ) -> None:
        """Set up the stage.

        Args:
            detector: Follows known faces.
            tracker: Joins what is found to faces with an id.
            search: Finds new faces.
            zones: Where faces count, and where none is looked at; None: no zones.
            stillness: Tells pictures of faces; None: none is told.
            idle: Which frames are left out while nobody is in view; None: none is.
            margin: What a crop takes in around a face's box, as a share of it; the model card's.
            crop_px: Side of the network's input in pixels.
            statistics: Where the stage counts.
        """
        self._detector = detector
        self._tracker = tracker
        self._search = search
        self._zones = zones or Zones()
        self._stillness = stillness or Stillness(0.0)
        self._still_crops: dict[int, GrayImage] = {}
        """Of the still faces: they show what they showed."""
        self._idle = idle
        self._margin = margin
        self._crop_px = crop_px
        self._statistics = statistics or Statistics()
        self._pace = Pace()
        self._last: Stamp | None = None

    def __call__(self, item: Frame | Gap) -> FaceBatch | None:
        """The confirmed faces; none of them after a gap.

        None for a frame that is left out while nobody is in view, and for a gap before any frame.

        Raises:
            FrameError: the picture cannot be decoded.
        """
        if isinstance(item, Gap):
            return self._after_gap(item)
        if self._idle is not None and self._idle.skips(item.stamp):
            return None
        started_ns = time.monotonic_ns()
        if self._resized(item.stamp):
            self.reset()
        resting = self._stillness.resting(item.picture, item.stamp)
        detections = self._detect(item, resting)
        if self._idle is not None and len(detections) > len(resting):
            self._idle.saw_somebody(item.stamp)
        tracks = self._placed(self._tracker.update(detections, item.stamp), item.stamp)
        if self._tracker.missing:
            self._search.lost(item.stamp)
        tracks = self._stillness.update(item.picture, tracks, item.stamp)
        crops = self._crops(item.picture, tracks)
        self._statistics.detect.add(time.monotonic_ns() - started_ns)
        self._last = item.stamp
        return FaceBatch(item.stamp, tracks, crops)

    def reset(self) -> None:
        """Forget every face: what comes next has nothing to do with what was."""
        self._tracker.reset()
        self._stillness.reset()
        self._search.reset()
        self._pace.reset()

    def _placed(self, tracks: Sequence[Track], stamp: Stamp) -> tuple[Track, ...]:
        """The faces with their zones, without those that have gone where none is looked at."""
        if not self._zones:
            return tuple(tracks)
        seen = (track for track in tracks if not self._zones.ignores(track.box, stamp))
        return tuple(replace(one, zone=self._zones.name_of(one.box, stamp)) for one in seen)

    def _after_gap(self, gap: Gap) -> FaceBatch | None:
        self.reset()
        if self._last is None:
            return None
        # A source leaves this number out when it is opened again.
        self._last = replace(
            self._last,
            seq=self._last.seq + 1,
            captured_ns=gap.captured_ns,
            captured_at=gap.captured_at,
        )
        return FaceBatch(self._last, (), (), lost=True)

    def _resized(self, stamp: Stamp) -> bool:
        """Whether the pictures have another size now: no box of before means anything in them."""
        last = self._last
        return last is not None and (last.width, last.height) != (stamp.width, stamp.height)

    def _detect(self, frame: Frame, resting: Mapping[int, Track]) -> list[Detection]:
        """The known faces by following; with them, now and then, the new ones by a search.

        Those that rest are where they were, and looked for no further.
        """
        detections = self._detect_anywhere(frame, resting)
        return [one for one in detections if not self._zones.ignores(one.box, frame.stamp)]

    def _detect_anywhere(self, frame: Frame, resting: Mapping[int, Track]) -> list[Detection]:
        known_faces = zip(self._tracker.ids, self._tracker.expected(frame.stamp), strict=True)
        awake = [(number, one) for number, one in known_faces if number not in resting]
        expected = [one for _, one in awake]
        still = [Detection(one.box, 1.0, one.angle, one.landmarks) for one in resting.values()]
        confirmed = all(number for number, _ in awake)
        followed = self._follow(frame, expected, confirmed=confirmed) if expected else []
        found = distinct([*still, *followed])
        known = [one.box for one in found]
        new = self._search.find(frame, expected=len(expected), known=known)
        return distinct([*found, *new]) if new else found

    def _follow(
        self, frame: Frame, expected: Sequence[Detection], *, confirmed: bool
    ) -> Sequence[Detection]:
        """The known faces, where they are found; in some frames where they are expected.

        Those not yet `confirmed` are looked for in every frame.  All are where a search may begin: it leaves
        out what is hidden by faces that were found.
        """
        count, stamp = len(expected), frame.stamp
        searched = self._search.due(stamp, expected=count)
        if confirmed and not searched and self._pace.rests(count, stamp):
            return expected
        # The widest plane first: a JPEG is then decoded once for following and crops, not twice.
        frame.picture.gray(max(self._crop_width(frame.picture, one.box) for one in expected))
        found = self._detector.follow(frame.picture, expected)
        self._pace.looked(expected, found, stamp)
        return found

    def _crop_width(self, picture: Picture, box: Box) -> int:
        """Width of a plane that has a pixel of the face for each of the network's."""
        side = max(box.width, box.height, 1.0) * (1 + 2 * self._margin)
        return math.ceil(picture.width * min(1.0, self._crop_px / side))

    def _crops(self, picture: Picture, tracks: Sequence[Track]) -> tuple[GrayImage, ...]:
        kept = self._still_crops
        crops = tuple(
            kept[track.id] if track.still and track.id in kept else self._crop(picture, track)
            for track in tracks
        )
        pairs = zip(tracks, crops, strict=True)
        self._still_crops = {track.id: crop for track, crop in pairs if track.still}
        return crops

    def _crop(self, picture: Picture, track: Track) -> GrayImage:
        """From the smallest plane that is large enough."""
        plane = picture.gray(self._crop_width(picture, track.box))
        box = scale(track.box, plane.shape[1] / picture.width)
        return crop_face(plane, box, margin=self._margin, angle=track.angle)
