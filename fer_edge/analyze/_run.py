"""Analyzes recordings one after the other; all results reach the folder together, or none does."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fer_edge.analyze._analysis import RecordingAnalysis
from fer_edge.analyze._recordings import Recording, recordings
from fer_edge.analyze._report import report
from fer_edge.analyze._tables import Tables
from fer_edge.config import Config
from fer_edge.errors import FerEdgeError, SinkError
from fer_edge.modelcard import find_card, models_dir
from fer_edge.progress import progress_bars
from fer_edge.signals import Signals


class StoppedError(FerEdgeError):
    """Somebody stopped it; nothing was written."""

    exit_code: ClassVar[int] = 130


@dataclass(frozen=True)
class Options:
    """What is to be made besides the tables and the report."""

    video: bool = False
    """An annotated copy of each recording."""
    thumbnails: bool = False
    """Faces in the report; without it no picture is in it."""
    fps: float | None = None
    """Pictures of a folder are frames of one recording at this rate."""


def analyze(config: Config, paths: Sequence[Path], out: Path, options: Options) -> list[Path]:
    """Read every recording in `paths`, and write tables, videos and a report into `out`.

    Everything is written under another name and renamed at the end: an interrupted run leaves what
    was there before.

    Returns:
        The files that were written.

    Raises:
        FerEdgeError: an input cannot be read, the output cannot be written, or a signal came.
    """
    inputs = recordings(paths, fps=options.fps)
    card = find_card(
        config.model.directory or models_dir(), config.model.alpha, config.model.precision
    )
    with Signals() as signals, _staging(out) as folder:
        summaries = []
        with Tables(folder) as tables, progress_bars(transient=False) as add_bar:
            for one in inputs:
                analysis = RecordingAnalysis(
                    config,
                    one,
                    tables,
                    video=folder / f"{_stem(one, inputs)}.annotated.mp4" if options.video else None,
                    thumbnails=options.thumbnails,
                )
                summaries.append(analysis.run(add_bar(one.name, one.frames), lambda: signals.taken))
                if signals.taken:
                    raise StoppedError("stopped; nothing was written")
        (folder / "report.html").write_text(report(summaries, card), encoding="utf-8")
        return _publish(folder, out)


def _stem(one: Recording, inputs: Sequence[Recording]) -> str:
    """The name without its ending, if that is still the only one."""
    stem = Path(one.name).stem
    return stem if [Path(other.name).stem for other in inputs].count(stem) == 1 else one.name


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """A folder beside the results, gone afterwards whatever happens."""
    made = [one for one in (out, *out.parents) if not one.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=out))
    except OSError as error:
        raise SinkError(
            f"--out {out}: {error.strerror}; name a folder that can be written"
        ) from None
    try:
        yield folder
    except OSError as error:
        if isinstance(error, FerEdgeError):
            raise
        raise SinkError(f"--out {out}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty: it went well
            for one in made:
                one.rmdir()


def _publish(folder: Path, out: Path) -> list[Path]:
    return [file.replace(out / file.name) for file in sorted(folder.iterdir())]
