"""Showing what was measured: a table for people, JSON for programs."""

import json
import subprocess
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from fer_edge import __version__
from fer_edge.bench._measure import STAGES, THESIS, WARM_UP, measure
from fer_edge.config import Config
from fer_edge.errors import FerEdgeError
from fer_edge.modelcard import ModelCard, list_cards, models_dir
from fer_edge.progress import progress_bars
from fer_edge.system.board import read_board

Report = dict[str, Any]


def bench(config: Config, frames: int, *, every: bool, as_json: bool, arguments: list[str]) -> None:
    """Measure the configured model, or `every` model there is, and print the figures.

    `arguments` are those of this command that hold for every model; each of several models is
    measured in a process of its own, or the peak of memory would be that of the largest.

    Raises:
        FerEdgeError: nothing could be measured.
    """
    directory = config.model.directory or models_dir()
    if every:
        runs = [run for card in list_cards(directory) for run in _child(card, frames, arguments)]
    else:
        with progress_bars() as add_bar:
            advance = add_bar(f"α = {config.model.alpha:g}", WARM_UP + frames)
            runs = [measure(config, frames, advance).to_dict()]
    report = {
        "fer_edge": __version__,
        "source": config.source.model_dump(mode="json"),
        "board": read_board().to_dict(),
        "runs": runs,
        "reference": THESIS,
    }
    if as_json:
        sys.stdout.write(json.dumps(report, indent=2, allow_nan=False) + "\n")
    else:
        _show(report)


def _child(card: ModelCard, frames: int, arguments: list[str]) -> list[Report]:
    """The figures of one model, from a process of its own."""
    model = ["--alpha", str(card.alpha), "--precision", card.precision]
    command = [sys.executable, "-m", "fer_edge", "bench", *arguments, *model]
    done = subprocess.run(  # noqa: S603 - this program itself
        [*command, "--frames", str(frames), "--json"], stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise FerEdgeError(
            f"{card.file}: not measured, see above; leave --all out to go on without"
        )
    runs: list[Report] = json.loads(done.stdout)["runs"]
    return runs


def _show(report: Report) -> None:
    console = Console()
    board = report["board"]
    console.print(
        f"[bold]{board['model'] or board['processor'] or 'this machine'}[/]", highlight=False
    )
    console.print(_board_line(board), highlight=False, style="dim")
    for run in report["runs"]:
        console.print(_table(run))
        console.print(
            f"{run['frames_per_second']:g} frames/s in one thread, "
            f"faces a frame: {run['faces_per_frame']:g}, peak RSS {run['peak_rss_mb']:g} MB\n"
        )
    console.print(f"Reference: {THESIS['source']}; {THESIS['machine']}.", style="dim")
    console.print("Figures of two machines do not compare; run this on yours.", style="dim")


def _board_line(board: Report) -> str:
    """What else decides how fast a board is, as far as it tells."""
    known = {
        "cores": board["cores"],
        "MHz": board["clock_mhz"] and round(board["clock_mhz"]),
        "governor": board["governor"],
        "°C": board["temperature_c"] and round(board["temperature_c"]),
        "throttling": board["throttled"] and ", ".join(board["throttled"]),
    }
    return ", ".join(f"{name} {value}" for name, value in known.items() if value is not None)


def _table(run: Report) -> Table:
    table = Table(title=run["model"], title_justify="left")
    table.add_column("stage")
    for column in ("p50 ms", "p95 ms", "mean ms", "thesis, Pi 4, ms"):
        table.add_column(column, justify="right")
    reference: dict[str, Any] = {
        "detect": THESIS["detect_ms"],
        "classify": THESIS["classify_ms"].get(str(run["alpha"])),
    }
    for stage in STAGES:
        timing = run["stages"][stage]
        figures = (timing["p50_ms"], timing["p95_ms"], timing["mean_ms"])
        table.add_row(
            stage.replace("_", " / "),
            *(f"{figure:.2f}" for figure in figures),
            str(reference.get(stage) or ""),
        )
    return table
