"""From results to what is shown: boxes that do not tremble, labels and panels that do not flap, trails."""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fer_edge.overlay.labels import Spot, label_rect, place_labels
from fer_edge.overlay.layout import Placement, Rect, Sizes, View, place_panels
from fer_edge.overlay.scene import Reading, Scene, ShownFace, ShownZone, Status
from fer_edge.overlay.style import Style
from fer_edge.types import Box, Face, Result

TRAIL_S: Final = 3.0
"""Length of the trail in the circumplex."""

RESTING_CUTOFF_HZ: Final = 1.2
"""Cut-off frequency of the filter for a face that stands still …"""
CUTOFF_PER_SPEED: Final = 9.0
"""… and by how many hertz it rises for each face width a second that the face moves."""

UPGRADE_S: Final = 1.0
"""How long there must be room for a larger panel, or a better spot for a label, before it is taken."""


@dataclass
class _SmoothedFace:
    """One face as it was last shown."""

    values: tuple[float, ...]
    """Centre, width and height in pixels of the frame."""
    speeds: tuple[float, ...]
    """Of each value, smoothed, in widths of the face a second."""
    at_ns: int
    trail: deque[tuple[int, Reading]] = field(default_factory=deque)


class Animator:
    """Remembers what was shown; fed with results, asked for scenes.

    Boxes are smoothed by a filter whose cut-off rises with their speed (G. Casiez, N. Roussel and
    D. Vogel, "1 € Filter", CHI 2012): steady while a face stands, at once when it moves.
    """

    def __init__(self, *, landmarks: bool = False, zones: Sequence[ShownZone] = ()) -> None:
        """Begin with nobody; `landmarks`: show those that a detector finds; the `zones` stay."""
        self._zones = tuple(zones)
        self._landmarks = landmarks
        self._shown: dict[int, _SmoothedFace] = {}
        self._faces: Sequence[Face] = ()
        self._frame = (16, 9)

    def update(self, result: Result) -> None:
        """Take in one more result."""
        stamp = result.stamp
        self._frame = (stamp.width, stamp.height)
        shown = {}
        for face in result.faces:
            one = self._move(self._shown.get(face.track.id), face.track.box, stamp.captured_ns)
            one.trail.append((stamp.captured_ns, (face.affect.valence, face.affect.arousal)))
            while one.trail[0][0] < stamp.captured_ns - TRAIL_S * 1e9:
                one.trail.popleft()
            shown[face.track.id] = one
        self._shown = shown
        self._faces = result.faces

    def clear(self) -> None:
        """Forget all faces: nobody is in view."""
        self._shown, self._faces = {}, ()

    def scene(self, status: Status | None = None, notice: str = "") -> Scene:
        """What to show now."""
        width, height = self._frame
        faces = tuple(self._face(face) for face in self._faces)
        return Scene(width, height, faces, status, notice, self._zones)

    def _face(self, face: Face) -> ShownFace:
        one = self._shown[face.track.id]
        x, y, width, height = one.values
        return ShownFace(
            face.track.id,
            Box(x - width / 2, y - height / 2, width, height),
            face.emotion,
            face.confidence,
            face.affect.probabilities,
            tuple(reading for _, reading in one.trail),
            face.track.landmarks if self._landmarks else (),
            face.track.still,
        )

    @staticmethod
    def _move(old: _SmoothedFace | None, box: Box, at_ns: int) -> _SmoothedFace:
        new = (box.x + box.width / 2, box.y + box.height / 2, box.width, box.height)
        if old is None or at_ns <= old.at_ns:
            trail = deque[tuple[int, Reading]]() if old is None else old.trail
            return _SmoothedFace(new, (0.0,) * len(new), at_ns, trail)
        seconds = (at_ns - old.at_ns) / 1e9
        unit = max(box.width, 1.0) * seconds
        share = _share(RESTING_CUTOFF_HZ, seconds)
        speeds = tuple(
            speed + ((a - b) / unit - speed) * share
            for a, b, speed in zip(new, old.values, old.speeds, strict=True)
        )
        share = _share(RESTING_CUTOFF_HZ + CUTOFF_PER_SPEED * max(map(abs, speeds)), seconds)
        values = tuple(b + (a - b) * share for a, b in zip(new, old.values, strict=True))
        return _SmoothedFace(values, speeds, at_ns, old.trail)


def _share(cutoff_hz: float, seconds: float) -> float:
    """Weight of a new value in a first-order low-pass filter after this time."""
    return 1 - math.exp(-math.tau * cutoff_hz * seconds)


class UpgradeDelay:
    """Finds the faces that have had room for something better for long enough."""

    def __init__(self) -> None:
        self._since_ns: dict[int, int] = {}

    def due(self, better: Iterable[int], now_ns: int) -> set[int]:
        """Those of the faces in `better` that have waited long enough; their wait begins again."""
        since = {face: self._since_ns.get(face, now_ns) for face in better}
        due = {face for face, start_ns in since.items() if now_ns - start_ns > UPGRADE_S * 1e9}
        self._since_ns = {face: ns for face, ns in since.items() if face not in due}
        return due


class Arranger:
    """Remembers where labels and panels were: they stay while they fit.

    A larger panel, and a better spot for a label, are taken only where there has been room for a
    while.
    """

    def __init__(self) -> None:
        self._spots: dict[int, Spot] = {}
        self._panels: dict[int, Placement] = {}
        self._for_spots, self._for_panels = UpgradeDelay(), UpgradeDelay()

    def arrange(
        self, scene: Scene, style: Style, now_ns: int
    ) -> tuple[dict[int, Placement], dict[int, Spot]]:
        """How each face's panel and label are to be shown, by its id."""
        view = View.of((scene.width, scene.height), style.screen)
        boxes = {face.id: view.box(face.box) for face in scene.faces}
        px = style.label_px(len(scene.faces))
        wanted = {face.id: style.label_size(face, px) for face in scene.faces}
        spots = self.labels(boxes, wanted, style.sizes, style.screen, now_ns)
        rects = (
            label_rect(boxes[face], spot, wanted[face], style.sizes, style.screen)
            for face, spot in spots.items()
        )
        taken = [rect for rect in rects if rect is not None]
        # A still face has no panel: nothing in it changes.
        living = {face.id: boxes[face.id] for face in scene.faces if not face.still}
        return self.panels(living, taken, style.sizes, style.screen, now_ns), spots

    def labels(
        self,
        boxes: Mapping[int, Rect],
        wanted: Mapping[int, tuple[int, int]],
        sizes: Sizes,
        screen: tuple[int, int],
        now_ns: int,
    ) -> dict[int, Spot]:
        """Where each face's label is to lie; see `place_labels`."""
        chosen, better = place_labels(boxes, wanted, self._spots, sizes, screen)
        if due := self._for_spots.due(better, now_ns):
            waiting = {face: spot for face, spot in chosen.items() if face not in due}
            chosen, _ = place_labels(boxes, wanted, waiting, sizes, screen)
        self._spots = chosen
        return chosen

    def panels(
        self,
        boxes: Mapping[int, Rect],
        taken: Sequence[Rect],
        sizes: Sizes,
        screen: tuple[int, int],
        now_ns: int,
    ) -> dict[int, Placement]:
        """How each face's panel is to be shown; see `place_panels`."""
        chosen, best = place_panels(boxes, self._panels, sizes, screen, taken)
        better = [face for face in boxes if best[face].detail != chosen[face].detail]
        if due := self._for_panels.due(better, now_ns):
            # Forgotten, it gets the best there is; its neighbours keep what they have.
            waiting = {face: one for face, one in chosen.items() if face not in due}
            chosen, _ = place_panels(boxes, waiting, sizes, screen, taken)
        self._panels = chosen
        return chosen
