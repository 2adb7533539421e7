"""From results to what is shown: boxes that do not tremble, panels that do not flap, trails."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fer_edge.overlay.layout import Placement, Rect, Sizes, place_panels
from fer_edge.overlay.scene import Reading, Scene, ShownFace, Status
from fer_edge.types import Box, Face, Result

TRAIL_S: Final = 3.0
"""How long the circumplex remembers."""

CALM_HZ: Final = 1.2
"""Cut-off at which a face that stands still is smoothed …"""
EAGER: Final = 9.0
"""… and by how many hertz it rises with each of its widths that a face moves in a second."""

UPGRADE_S: Final = 1.0
"""For so long there must be room for a larger panel before it is shown."""


@dataclass
class _Shown:
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

    def __init__(self) -> None:
        self._shown: dict[int, _Shown] = {}
        self._faces: Sequence[Face] = ()
        self._frame = (16, 9)

    def update(self, result: Result) -> None:
        """One more result."""
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
        """Nobody is to be seen."""
        self._shown, self._faces = {}, ()

    def scene(self, status: Status | None = None, notice: str = "") -> Scene:
        """What to show now."""
        width, height = self._frame
        faces = tuple(self._face(face) for face in self._faces)
        return Scene(width, height, faces, status, notice)

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
        )

    @staticmethod
    def _move(old: _Shown | None, box: Box, at_ns: int) -> _Shown:
        new = (box.x + box.width / 2, box.y + box.height / 2, box.width, box.height)
        if old is None or at_ns <= old.at_ns:
            trail = deque[tuple[int, Reading]]() if old is None else old.trail
            return _Shown(new, (0.0,) * len(new), at_ns, trail)
        seconds = (at_ns - old.at_ns) / 1e9
        unit = max(box.width, 1.0) * seconds
        share = _share(CALM_HZ, seconds)
        speeds = tuple(
            speed + ((a - b) / unit - speed) * share
            for a, b, speed in zip(new, old.values, old.speeds, strict=True)
        )
        share = _share(CALM_HZ + EAGER * max(map(abs, speeds)), seconds)
        values = tuple(b + (a - b) * share for a, b in zip(new, old.values, strict=True))
        return _Shown(values, speeds, at_ns, old.trail)


def _share(cutoff_hz: float, seconds: float) -> float:
    """Weight of a new value in a first-order low-pass filter after so many seconds."""
    return 1 - math.exp(-math.tau * cutoff_hz * seconds)


class Arranger:
    """Remembers where panels were; a larger one comes only where there has been room for a while."""

    def __init__(self) -> None:
        self._before: dict[int, Placement] = {}
        self._better_since_ns: dict[int, int] = {}

    def arrange(
        self,
        boxes: Mapping[int, Rect],
        taken: Sequence[Rect],
        sizes: Sizes,
        screen: tuple[int, int],
        now_ns: int,
    ) -> dict[int, Placement]:
        """How each face's panel is to be shown, by its id; see `place_panels`."""
        chosen, best = place_panels(boxes, self._before, sizes, screen, taken)
        since = {
            face: self._better_since_ns.get(face, now_ns)
            for face in boxes
            if best[face].detail != chosen[face].detail
        }
        due = {face for face, start_ns in since.items() if now_ns - start_ns > UPGRADE_S * 1e9}
        if due:
            # Forgotten, it gets the best there is; its neighbours keep what they have.
            kept = {face: one for face, one in chosen.items() if face not in due}
            chosen, _ = place_panels(boxes, kept, sizes, screen, taken)
        self._before = chosen
        self._better_since_ns = {face: ns for face, ns in since.items() if face not in due}
        return chosen
