"""Steady readings: smoothing over time, and a label that does not flicker."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fer_edge.config import TrackingConfig
from fer_edge.geometry import area
from fer_edge.stamps import elapsed_s
from fer_edge.types import EMOTIONS, Affect, Emotion, Face, Stamp, Track


@dataclass(frozen=True)
class _Memory:
    affect: Affect
    emotion: Emotion | None
    stamp: Stamp


class Smoother:
    """Remembers the readings of every face in view."""

    def __init__(self, config: TrackingConfig) -> None:
        self._config = config
        self._memories: dict[int, _Memory] = {}

    def configure(self, config: TrackingConfig) -> None:
        """Smooth in another way from now on; may be called from any thread."""
        self._config = config

    def update(
        self, tracks: Sequence[Track], readings: Sequence[Affect], stamp: Stamp
    ) -> tuple[Face, ...]:
        """One face for each track, largest first; faces that left are forgotten.

        A face that is not seen keeps what it showed: its last reading may be of a face half gone.
        """
        memories: dict[int, _Memory] = {}
        faces = []
        for track, reading in zip(tracks, readings, strict=True):
            old = self._memories.get(track.id)
            if old is not None and not track.seen:
                memory = old
            else:
                affect = reading if old is None else self._mix(old, reading, stamp)
                memory = _Memory(affect, self._label(affect, old), stamp)
            memories[track.id] = memory
            affect, emotion = memory.affect, memory.emotion
            shown = affect.probabilities.max()
            if emotion is not None:
                shown = affect.probabilities[EMOTIONS.index(emotion)]
            faces.append(Face(track, emotion, float(shown), affect))
        self._memories = memories
        return tuple(sorted(faces, key=lambda face: -area(face.track.box)))

    def _mix(self, old: _Memory, new: Affect, stamp: Stamp) -> Affect:
        """Exponential smoothing whose weight follows the time that passed."""
        tau_s = self._config.smoothing_s
        weight = 1.0 if tau_s == 0 else 1.0 - math.exp(-elapsed_s(old.stamp, stamp) / tau_s)
        return old.affect.mixed(new, weight)

    def _label(self, affect: Affect, old: _Memory | None) -> Emotion | None:
        """The most probable emotion, unless the one that is shown is nearly as probable."""
        shown = None if old is None else old.emotion
        best = EMOTIONS[int(affect.probabilities.argmax())]
        highest = float(affect.probabilities.max())
        # Half of the hysteresis on the way back, or the label of a face at the threshold would flicker.
        threshold = self._config.min_confidence
        if old is not None and shown is None:
            threshold += self._config.hysteresis / 2
        if highest < threshold:
            return None
        if shown is not None:
            lead = highest - float(affect.probabilities[EMOTIONS.index(shown)])
            if lead < self._config.hysteresis:
                return shown
        return best
