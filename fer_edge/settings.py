"""The settings that may be changed while the service runs, and what a sink may ask of them."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in effect; every field is also the name of a command."""

    recognition: bool
    """Whether the camera is open and faces are looked for."""
    model_width: float
    """Width multiplier α of the model in use."""
    min_confidence: float
    """Probability below which an emotion is `uncertain`."""
    smoothing: float
    """Time constant of the smoothing, in seconds."""


class Adjustable(Protocol):
    """Changes settings while the service runs; called from one thread."""

    @property
    def settings(self) -> Settings:
        """What is in effect now."""

    @property
    def model_widths(self) -> tuple[float, ...]:
        """Values that `model_width` may take, the narrowest first."""

    def adjust(self, name: str, value: str) -> str | None:
        """Give the setting `name` the value that a command holds as text.

        Returns:
            Why it is refused, in one line, in which case nothing has changed; None if it is in effect.
        """

    def restart(self) -> None:
        """End the run soon, and begin it again."""
