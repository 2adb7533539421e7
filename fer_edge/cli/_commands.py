"""The commands: each imports what it needs itself, so that all of them start quickly."""

import faulthandler
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fer_edge import __version__
from fer_edge.cli._exit import begin_again, exit_at_once
from fer_edge.cli._options import (
    AlphaOption,
    ConfigOption,
    JsonOption,
    PrecisionOption,
    SetOption,
    SourceOption,
    ThreadsOption,
    load_config,
    overrides,
    put,
)

app = typer.Typer(
    help="Faces in front of a camera become emotion, valence and arousal, on this device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def options(
    ctx: typer.Context,
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks and debug logs.")] = False,
) -> None:
    """What holds for every command."""
    ctx.obj = debug


@app.command()
def run(
    ctx: typer.Context,
    *,
    config: ConfigOption = None,
    source: SourceOption = None,
    alpha: AlphaOption = None,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
    mqtt: Annotated[
        str | None, typer.Option(metavar="URL", help="Publish to mqtt://host:1883 or mqtts://…")
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="Standard output: auto, table, jsonl or none.")
    ] = None,
    jsonl: Annotated[Path | None, typer.Option(help="Append JSON lines to this file.")] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Every frame of a recording, as quickly as possible.")
    ] = False,
    overlay: Annotated[
        str | None, typer.Option(help="Screen: auto, drm, framebuffer, window or none.")
    ] = None,
    settings: SetOption = None,
) -> None:
    """Recognise what a camera sees until stopped."""
    from fer_edge.system.logs import configure
    from fer_edge.system.sdnotify import open_notifier

    tree = overrides(source, alpha, precision, threads, settings)
    put(tree, "mqtt.url", mqtt)
    put(tree, "output.stdout", output)
    put(tree, "jsonl.path", jsonl)
    put(tree, "source.fast", fast or None)
    put(tree, "overlay.screen", overlay)
    loaded = load_config(config, tree)
    configure(loaded.log.level, debug=ctx.obj)
    # OpenCV reads its log level when it is imported: only now.
    from fer_edge.service import run as run_service

    # When its watchdog expires systemd sends SIGABRT: the journal then shows what hangs where.
    faulthandler.enable()
    ending = run_service(loaded, open_notifier())
    if ending.restart:
        begin_again()
    if ending.hanging:
        exit_at_once(0)


@app.command()
def bench(
    ctx: typer.Context,
    *,
    config: ConfigOption = None,
    source: SourceOption = None,
    alpha: AlphaOption = None,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames to measure.")] = 200,
    every: Annotated[bool, typer.Option("--all", help="Every model there is.")] = False,
    as_json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """Measure this machine, stage by stage."""
    from fer_edge.system.logs import configure

    tree = overrides(source or "demo", alpha, precision, threads, settings)
    if tree["source"]["type"] in {"demo", "file", "images"}:
        tree["source"].setdefault("fast", True)
    loaded = load_config(config, tree)
    configure(loaded.log.level, debug=ctx.obj)
    from fer_edge.bench import bench as run_bench

    options = {"--config": config, "--source": source, "--threads": threads}
    arguments = [str(part) for item in options.items() if item[1] is not None for part in item]
    arguments += [part for setting in settings or [] for part in ("--set", setting)]
    run_bench(loaded, frames, every=every, as_json=as_json, arguments=arguments)


@app.command()
def analyze(
    ctx: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE|FOLDER…", help="Videos, pictures, or folders.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")],
    video: Annotated[bool, typer.Option("--video", help="An annotated copy of each.")] = False,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Faces as pictures in the report.")
    ] = False,
    fps: Annotated[
        float | None,
        typer.Option(min=0.001, max=1000, help="Pictures are frames of a recording at this rate."),
    ] = None,
    config: ConfigOption = None,
    alpha: AlphaOption = None,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
    settings: SetOption = None,
) -> None:
    """Make tables and a report of recordings, from every frame."""
    from fer_edge.system.logs import configure

    loaded = load_config(config, overrides(None, alpha, precision, threads, settings))
    configure(loaded.log.level, debug=ctx.obj)
    from fer_edge.analyze import Options
    from fer_edge.analyze import analyze as run_analyze

    options = Options(video=video, thumbnails=thumbnails, fps=fps)
    for file in run_analyze(loaded, paths, out, options):
        typer.echo(file)


@app.command()
def evaluate(
    ctx: typer.Context,
    *,
    dataset: Annotated[
        str, typer.Option(help="ferplus:FILE, affectnet:FOLDER, folder:FOLDER or FILE.csv.")
    ],
    alpha: Annotated[float, typer.Option(help="Width of the network, 0.25 to 1.4.")] = 0.25,
    precision: Annotated[str, typer.Option(help="float32 or int8.")] = "int8",
    models: Annotated[
        Path | None, typer.Option(help="Folder of the models.", show_default="those installed")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="test, validation, train, or all of a folder.",
            show_default="test; all of a FILE.csv",
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the interpreter.")] = 2,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Average each mirror image in, as of a face in view.")
    ] = False,
    robust: Annotated[
        bool,
        typer.Option("--robust", help="Measure in the dark, blurred, small, covered … instead."),
    ] = False,
    against: Annotated[
        list[Path] | None, typer.Option(help="With --robust: another folder of models beside it.")
    ] = None,
    groups: Annotated[
        Path | None, typer.Option(help="CSV: `file` and columns of your own; figures by group.")
    ] = None,
    as_json: JsonOption = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write tables and pictures into this folder.")
    ] = None,
) -> None:
    """Measure how good a model is on a data set."""
    from fer_edge.system.logs import configure

    configure("info", debug=ctx.obj)
    from fer_edge.evaluation import evaluate as run_evaluate
    from fer_edge.evaluation import evaluate_robust
    from fer_edge.modelcard import models_dir

    split = split or ("all" if dataset.endswith(".csv") else "test")
    if robust:
        evaluate_robust(
            folders=[models or models_dir(), *(against or [])],
            alpha=alpha,
            precision=precision,
            dataset=dataset,
            split=split,
            threads=threads,
            output_format="json" if as_json else "markdown",
            out=out,
        )
        return
    run_evaluate(
        models=models or models_dir(),
        alpha=alpha,
        precision=precision,
        dataset=dataset,
        split=split,
        threads=threads,
        mirror=mirror,
        output_format="json" if as_json else "markdown" if as_markdown else "table",
        out=out,
        groups=groups,
    )


@app.command()
def annotate(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of pictures.")],
    *,
    annotator: Annotated[str, typer.Option(metavar="NAME", help="Whose answers they are.")],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1.", show_default="any free one")
    ] = 0,
    whole: Annotated[
        bool, typer.Option("--whole", help="Whole pictures instead of the faces found in them.")
    ] = False,
    undecided: Annotated[
        bool, typer.Option("--undecided", help="Only faces on which the others did not agree.")
    ] = False,
) -> None:
    """Label faces on a page for browsers on this machine; each answer is on the disk at once."""
    from fer_edge.system.logs import configure

    configure("warning", debug=ctx.obj)
    from fer_edge.annotate import annotate as run_annotate

    run_annotate(
        folder, annotator, port=port, whole=whole, only_undecided=undecided, say=typer.echo
    )


@app.command()
def agreement(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder that was annotated.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv", help="The consensus.", show_default="FOLDER/consensus.csv"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say how far annotators agree, and write what they decide together as a data set."""
    from fer_edge.system.logs import configure

    configure("warning", debug=ctx.obj)
    from fer_edge.annotate import agreement as run_agreement

    run_agreement(folder, out or folder / "consensus.csv", as_json=as_json)


@app.command()
def aim(
    ctx: typer.Context,
    *,
    config: ConfigOption = None,
    source: SourceOption = None,
    settings: SetOption = None,
) -> None:
    """Show what the camera sees in this terminal, to point it; nothing is stored or sent."""
    from fer_edge.system.logs import configure

    loaded = load_config(config, overrides(source, None, None, None, settings))
    # Warnings would be written over the picture, which has a line for what is wrong.
    configure("error", debug=ctx.obj)
    from fer_edge.aim import aim as run_aim

    if run_aim(loaded):
        exit_at_once(0)


@app.command("config")
def show_config(
    *,
    config: ConfigOption = None,
    source: SourceOption = None,
    settings: SetOption = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Describe every setting instead, as Markdown.")
    ] = False,
    as_example: Annotated[
        bool, typer.Option("--example", help="Print a file with every setting to start from.")
    ] = False,
) -> None:
    """Print the configuration in effect, secrets masked."""
    from fer_edge.config import document, example, render

    if markdown or as_example:
        typer.echo(document() if markdown else example(), nl=False)
        return
    typer.echo(render(load_config(config, overrides(source, None, None, None, settings))), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the `faces` messages."""
    from fer_edge.sinks.payload import load_schema

    typer.echo(json.dumps(load_schema(), indent=2))


home_assistant = typer.Typer(help="What Home Assistant knows of this device.", no_args_is_help=True)
app.add_typer(home_assistant, name="home-assistant")


@home_assistant.callback()
def _home_assistant() -> None:
    """Makes `remove` a word of its own, although it is the only one."""


@home_assistant.command()
def remove(*, config: ConfigOption = None, settings: SetOption = None) -> None:
    """Take the device out of Home Assistant; end the service first, or it announces itself again."""
    from fer_edge.sinks.mqtt.remove import remove_device

    loaded = load_config(config, overrides(None, None, None, None, settings))
    typer.echo(remove_device(loaded.mqtt, loaded.device))


@app.command()
def doctor(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check what fer-edge needs on this machine; exit code 1: something is missing, 2: it cannot start."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from fer_edge.system.doctor import checks, exit_code

    found = checks(config)
    if as_json:
        report = {"exit_code": exit_code(found), "checks": [asdict(one) for one in found]}
        typer.echo(json.dumps(report, indent=2))
        raise typer.Exit(exit_code(found))
    table = Table.grid(padding=(0, 2))
    marks = {True: "[green]ok[/]", False: "[red]missing[/]", None: "[dim]–[/]"}
    for check in found:
        remedy = f"\n→ {check.remedy}" if check.ok is not True and check.remedy else ""
        table.add_row(marks[check.ok], check.name, escape(check.detail + remedy))
    Console().print(table)
    raise typer.Exit(exit_code(found))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
