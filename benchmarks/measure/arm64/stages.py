"""The stages that instructions are counted for."""

from enum import IntEnum

MAGIC = 0x5FE0000000000
"""As in count.c: the offset that, with a stage added, tells the plugin which stage begins."""


class Stage(IntEnum):
    """What a frame's instructions were spent on; the number is count.c's."""

    OUTSIDE = 0
    """Start, loading, rendering of the frames: no cost of a frame."""
    DECODE = 1
    FOLLOW = 2
    SEARCH = 3
    """With the decision whether one is due."""
    TRACK = 4
    """The rest of the vision stage: tracking and cutting out."""
    READ = 5
    MESSAGE = 6


LABELS = {
    Stage.DECODE: "JPEG decode",
    Stage.FOLLOW: "follow",
    Stage.SEARCH: "search",
    Stage.TRACK: "track, crop",
    Stage.READ: "read",
    Stage.MESSAGE: "message",
}
