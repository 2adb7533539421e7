"""Options that several commands have, and the settings that they make."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_edge.errors import ConfigError

if TYPE_CHECKING:
    from fer_edge.config import Config

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="TOML file.", show_default="/etc/fer-edge/config.toml"),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        help="demo, picamera2[:NUMBER], /dev/videoN, http://…, rtsp://…, a video, or a folder.",
    ),
]
AlphaOption = Annotated[float | None, typer.Option(help="Width of the network, 0.25 to 1.4.")]
PrecisionOption = Annotated[str | None, typer.Option(help="float32 or int8.")]
ThreadsOption = Annotated[int | None, typer.Option(help="Threads of the interpreter.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.FIELD=VALUE", help="Any other setting; repeatable."),
]


def overrides(
    source: str | None,
    alpha: float | None,
    precision: str | None,
    threads: int | None,
    settings: list[str] | None,
) -> dict[str, Any]:
    """The settings that the command line gives, as a tree of sections."""
    from fer_edge.config import parse_source

    tree: dict[str, Any] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals or not all(key.split(".")):
            raise ConfigError(f"--set {setting}: write it as section.field=value")
        put(tree, key, value)
    if source is not None:
        for key, value in parse_source(source).items():
            put(tree, f"source.{key}", value)
    put(tree, "model.alpha", alpha)
    put(tree, "model.precision", precision)
    put(tree, "model.threads", threads)
    return tree


def put(tree: dict[str, Any], key: str, value: object) -> None:
    """Set a dotted key, unless there is no value.

    Raises:
        ConfigError: part of the key was given a value of its own.
    """
    if value is None:
        return
    *sections, field = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"--set {section}={tree}: is a section; set a field of it")
    tree[field] = value


def load_config(path: Path | None, tree: Mapping[str, Any]) -> "Config":
    """The configuration in effect, with `tree` on top."""
    from fer_edge.config import load

    return load(path, overrides=tree)


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
