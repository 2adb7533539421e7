"""The affect stage: crops of faces in, their smoothed readings out."""

import time

from fer_edge.affect.smoother import Smoother
from fer_edge.affect.turns import Classify, Turns
from fer_edge.stats import Statistics
from fer_edge.types import FaceBatch, Result


class AffectStage:
    """Reads the faces of a batch whose turn it is, and smooths what was read."""

    def __init__(
        self,
        classify: Classify,
        turns: Turns,
        smoother: Smoother,
        *,
        averaged_temperature: float = 1.0,
        statistics: Statistics | None = None,
    ) -> None:
        self._model = (classify, averaged_temperature)
        self._turns = turns
        self._smoother = smoother
        self._statistics = statistics or Statistics()

    def use(self, classify: Classify, *, averaged_temperature: float = 1.0) -> None:
        """Read with another model from the next frame on; may be called from any thread."""
        self._model = (classify, averaged_temperature)

    def __call__(self, batch: FaceBatch) -> Result:
        """The frame's faces with their readings, largest first."""
        started_ns = time.monotonic_ns()
        classify, temperature = self._model
        readings = self._turns.read(batch, classify, averaged_temperature=temperature)
        faces = self._smoother.update(
            [track for track, _ in readings], [affect for _, affect in readings], batch.stamp
        )
        if batch.crops:
            self._statistics.classify.add(time.monotonic_ns() - started_ns)
        return Result(batch.stamp, faces, lost=batch.lost)
