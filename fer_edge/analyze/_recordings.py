"""What was given on the command line, as recordings that can be read one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_edge.errors import SourceError
from fer_edge.sources.file import VideoFile, open_video
from fer_edge.sources.images import SUFFIXES, ImageFiles, picture_files, readable
from fer_edge.types import Source


@dataclass(frozen=True)
class Recording:
    """One video, or one folder of pictures."""

    name: str
    """For people and for the tables: file or folder, without the path."""
    path: Path
    source: Source
    frames: int | None
    """How many there are, about; None where the container does not say."""
    fps: float
    """Frames a second, on average."""
    still: bool = False
    """Pictures that have nothing to do with each other: nothing is followed or smoothed."""


def recordings(paths: Sequence[Path], *, fps: float | None) -> list[Recording]:
    """Every recording in these files and folders.

    Args:
        paths: Videos, pictures, and folders of either, not looked into any deeper.
        fps: If given, pictures of a folder are frames of one recording at this rate.

    Raises:
        SourceError: a file is not there, or cannot be read as a video or picture.
    """
    found = [one for path in paths for one in _in(path, fps)]
    names = [one.name for one in found]
    for one in found:
        if names.count(one.name) > 1:
            raise SourceError(f"{one.path}: two inputs are called {one.name}; rename one of them")
    return found


def _in(path: Path, fps: float | None) -> Iterator[Recording]:
    if not path.is_dir():
        yield _pictures(path, [path], fps) if _is_picture(path) else _video(path)
        return
    files = sorted(file for file in path.iterdir() if file.is_file() and file.name[0] != ".")
    pictures = [file for file in files if _is_picture(file)]
    if pictures:
        yield _pictures(path, picture_files(path), fps)
    videos = []
    for file in files:
        if file not in pictures:
            try:
                videos.append(_video(file))
            except SourceError:
                continue  # a folder may hold other things
    yield from videos
    if not pictures and not videos:
        raise SourceError(f"{path}: no video and no picture in it")


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _video(path: Path) -> Recording:
    import cv2

    capture = open_video(path)
    frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    fps = fps if 1 <= fps <= 1000 else 30.0
    return Recording(
        path.name, path, VideoFile(path, fast=True), frames if frames > 0 else None, fps
    )


def _pictures(path: Path, files: Sequence[Path], fps: float | None) -> Recording:
    source = ImageFiles(path, fps=fps or 1.0, fast=True, files=tuple(files))
    return Recording(
        readable(path.name or path.resolve().name),
        path,
        source,
        len(files),
        fps or 1.0,
        still=fps is None,
    )
