"""The first camera that there is, looked for at every opening: it may be plugged in later."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fer_edge.errors import SourceLostError
from fer_edge.types import Source, Stream

NONE_FOUND = (
    "no camera found; plug one in, or name one with --source (http://…, rtsp://…, /dev/videoN, a "
    "video file), or try the demo with --source demo"
)


@dataclass(slots=True)
class AutomaticCamera:
    """A source that is whichever camera `find` finds."""

    live = True

    find: Callable[[], Source | None] = field(repr=False)
    """The camera to use now, None where there is none; its frames are numbered on from the last one's."""
    name: str = field(default="the first camera", init=False)
    """For people; that of the camera, once one was found."""

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Look for a camera and open it.

        Raises:
            SourceLostError: there is none now, or it cannot be opened.
        """
        source = self.find()
        if source is None:
            raise SourceLostError(NONE_FOUND)
        self.name = source.name
        with source.open() as stream:
            yield stream
