"""Colours that people who see colours differently can tell apart.

From M. Okabe and K. Ito, "Color Universal Design" (2008), with a light grey for the neutral face in
place of their black, which a dark ground would swallow. No meaning rests on colour alone: each
emotion has a symbol and a name too.
"""

from typing import Final

from fer_edge.types import Emotion

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

EMOTION_COLOURS: Final[dict[Emotion, Colour]] = {
    Emotion.NEUTRAL: (200, 200, 200),
    Emotion.HAPPY: (240, 228, 66),
    Emotion.SAD: (0, 114, 178),
    Emotion.SURPRISE: (230, 159, 0),
    Emotion.FEAR: (204, 121, 167),
    Emotion.DISGUST: (0, 158, 115),
    Emotion.ANGER: (213, 94, 0),
    Emotion.CONTEMPT: (86, 180, 233),
}

UNCERTAIN_COLOUR: Final[Colour] = (255, 255, 255)
TEXT: Final[Colour] = (255, 255, 255)
FAINT: Final[Colour] = (150, 150, 150)
BACKGROUND: Final[Colour] = (14, 17, 22)
"""Colour of the panels behind text."""
GOOD: Final[Colour] = (86, 180, 233)
BAD: Final[Colour] = (213, 94, 0)


def colour_of(emotion: Emotion | None) -> Colour:
    """The emotion's colour; white while uncertain."""
    return UNCERTAIN_COLOUR if emotion is None else EMOTION_COLOURS[emotion]


def hex_of(colour: Colour) -> str:
    """As HTML writes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
