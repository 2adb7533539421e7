"""How everything looks on one screen, and the brush that draws in that style."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from fer_edge.overlay.canvas import Image, Ink, Stamps, bgr, rounded
from fer_edge.overlay.layout import Rect, Sizes
from fer_edge.overlay.palette import BACKGROUND, Colour, colour_of
from fer_edge.overlay.scene import ShownFace
from fer_edge.overlay.symbols import symbol_mask
from fer_edge.overlay.text import Typesetter
from fer_edge.types import EMOTIONS, UNCERTAIN, Emotion

BACKGROUND_OPACITY: Final = 0.74
"""Opacity of the panels: text stays legible over a bright window, the picture stays visible."""

SMALLEST_PX: Final = 8
"""Smaller type cannot be read."""

ENGLISH: Final[Mapping[str, str]] = {
    **{emotion.value: emotion.value for emotion in EMOTIONS},
    UNCERTAIN: UNCERTAIN,
    "valence": "V",
    "arousal": "A",
    "still": "still",
    "no_picture": "no picture",
}
"""Every word on the screen; the configuration may give others."""


@dataclass(frozen=True)
class Style:
    """How everything looks on one screen; keeps the bitmaps it has made."""

    screen: tuple[int, int]
    """Width and height in pixels."""
    typesetter: Typesetter
    words: Mapping[str, str] = field(default_factory=lambda: ENGLISH)
    scale: float = 1.0
    """Factor on the size of text and panels."""
    transparent: bool = False
    """Four channels instead of three, and nothing where nothing is drawn."""
    sizes: Sizes = field(init=False)
    stamps: Stamps = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Frozen, so set as dataclasses themselves do it.
        object.__setattr__(self, "sizes", self._sizes())
        object.__setattr__(self, "stamps", Stamps(4 if self.transparent else 3))

    def _sizes(self) -> Sizes:
        """The screen's sizes, with room for the longest name of an emotion, up to twice the usual."""
        sizes = Sizes.of(*self.screen, scale=self.scale)
        longest = max(self.typesetter.width(self.word(one), sizes.small) for one in EMOTIONS)
        # Symbol, half a gap, name, a gap before the bar.
        names = min(sizes.row + longest + 2 * sizes.gap, 2 * sizes.names)
        wider = max(0, names - sizes.names)
        return replace(sizes, names=sizes.names + wider, panel=sizes.panel + wider)

    def word(self, emotion: Emotion | None) -> str:
        """The emotion's name for people."""
        return self.words[UNCERTAIN if emotion is None else emotion.value]

    def label_word(self, face: ShownFace) -> str:
        """What a face's label says."""
        return self.words["still"] if face.still else self.word(face.emotion)

    def label_px(self, faces: int) -> int:
        """Type size at which the labels of this number of faces fit beside each other, if any does.

        By the longest name, not by those that are shown: a size that changes with every emotion
        would be a label that jumps.
        """
        sizes = self.sizes
        # Labels that lie on each other are illegible, however large somebody wants them.
        least = min(sizes.small, Sizes.of(*self.screen).small)
        px: int
        for px in (sizes.label, round(0.75 * sizes.label), *range(sizes.small, least, -1)):
            widest = max(self._label_width(self.word(one), px) for one in (*EMOTIONS, None))
            if faces * (widest + sizes.gap) <= self.screen[0]:
                return px
        return least

    def label_size(self, face: ShownFace, px: int) -> tuple[int, int]:
        """Width and height of a label: as wide as its emotion's name with the widest number."""
        return self._label_width(self.label_word(face), px), round(1.5 * px)

    def status_px(self) -> int:
        """Type size of the figures in the corner: as small as it must be for all to be seen."""
        gap = self.sizes.gap
        for px in range(self.sizes.small, SMALLEST_PX, -1):
            figures = sum(self.typesetter.width(one, px) for one in ("00.0 fps", "0000 ms", "MQTT"))
            if figures + round(0.6 * px) + 7 * gap <= self.screen[0]:
                return px
        return SMALLEST_PX

    def label_gap(self, px: int) -> int:
        """Space between the parts of a label of this type size."""
        return max(4, round(0.26 * px))

    def _label_width(self, word: str, px: int) -> int:
        text = self.typesetter.width(word, px) + self.typesetter.width("100 %", px)
        return round(1.1 * px) + text + 5 * self.label_gap(px)


@dataclass(frozen=True)
class Brush:
    """Draws on one picture in one style."""

    image: Image
    style: Style

    def card(self, rect: Rect) -> None:
        """A dark background for text, with round corners."""
        size = (rect.width, rect.height, self.style.sizes.gap)
        self.style.stamps.lay(
            self.image,
            (rect.x, rect.y),
            Ink(("card", *size), BACKGROUND, BACKGROUND_OPACITY),
            lambda: rounded(*size),
        )

    def text(self, where: tuple[int, int], text: str, px: int, colour: Colour) -> None:
        """One line of text with its top left corner at `where`."""
        mask = self.style.typesetter.mask
        ink = Ink(("text", text, px), colour)
        self.style.stamps.lay(self.image, where, ink, lambda: mask(text, px))

    def symbol(self, where: tuple[int, int], emotion: Emotion | None, side: int) -> None:
        """An emotion's symbol, `side` pixels wide, with its top left corner at `where`."""
        ink = Ink(("symbol", emotion, side), colour_of(emotion))
        self.style.stamps.lay(self.image, where, ink, lambda: symbol_mask(emotion, side))

    def width(self, text: str, px: int) -> int:
        """Width of a text in pixels."""
        return self.style.typesetter.width(text, px)

    def line_height(self, px: int) -> int:
        """Height of a line of text in pixels."""
        return self.style.typesetter.height(px)

    def bar(self, rect: Rect, colour: Colour) -> None:
        """A filled rectangle."""
        target = self.image[rect.y : rect.bottom, rect.x : rect.right]
        target[:] = bgr(colour, self.image.shape[2])
