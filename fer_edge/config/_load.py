"""Merging the layers: defaults, then file, then environment, then command line."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, SettingsError

from fer_edge.config._describe import known_keys, known_types
from fer_edge.config._models import ENV_PREFIX, Config
from fer_edge.errors import ConfigError

DEFAULT_PATH = Path("/etc/fer-edge/config.toml")

COMMAND_LINE = "command line"

MAX_VALUE_CHARS = 80
"""Length of a wrong value to which an error shortens it."""

Tree = dict[str, Any]


@dataclass(frozen=True)
class Layer:
    """One origin of settings, and how an error names a key of it."""

    origin: str
    values: Mapping[str, Any]

    def holds(self, location: tuple[str, ...]) -> bool:
        """Whether this layer sets the value at `location`, or something below it."""
        node: Any = self.values
        for key in location:
            if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, Mapping) and key in node:
                node = node[key]
            else:
                return False
        return True

    def describe(self, location: tuple[str, ...]) -> str:
        """The key as it is written in this layer."""
        variable = self.origin == "environment"
        if len(location) > 1 and location[1].isdecimal():  # a section of which there are several
            section, place, *rest = location
            head = ENV_PREFIX + section.upper() if variable else f"[[{section}]]"
            return ": ".join([f"{head} number {int(place) + 1}", *[".".join(rest)][: len(rest)]])
        if variable:
            return ENV_PREFIX + "__".join(location).upper()
        return ".".join(location)


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """The configuration in effect.

    Args:
        path: TOML file; `DEFAULT_PATH` where that exists when not given.
        environ: Environment; `os.environ` when not given.
        overrides: What the command line sets, as a tree of sections.

    Raises:
        ConfigError: one line that names file, key and remedy.
    """
    if path is None and _may_exist(DEFAULT_PATH):
        path = DEFAULT_PATH
    layers = [Layer(COMMAND_LINE, overrides or {})]
    layers.insert(0, Layer("environment", _read_environment(environ)))
    if path is not None:
        layers.insert(0, Layer(str(path), _read_toml(path)))
    merged: Tree = {}
    for layer in layers:
        merged = _merge(merged, layer.values)
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error.errors()[0], layers)) from None


def _may_exist(path: Path) -> bool:
    """Whether the file exists, or may: one in a folder that cannot be read is an error later."""
    try:
        return path.exists()
    except OSError:  # its folder may not be looked into
        return True


def _read_toml(path: Path) -> Tree:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read it: {error.strerror}; check --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}; see deploy/config.example.toml") from None


def _read_environment(environ: Mapping[str, str] | None) -> Tree:
    """FER_EDGE__SECTION__FIELD, as pydantic-settings reads it.

    Its reader looks only for keys that exist, so a misspelt one is added by hand, to be refused
    with the rest.
    """
    environ = os.environ if environ is None else environ
    _refuse_single_underscores(environ)
    mine = {k.lower(): v for k, v in environ.items() if k.upper().startswith(ENV_PREFIX)}
    source = EnvSettingsSource(Config)
    source.env_vars = mine
    try:
        tree: Tree = dict(source())
    except SettingsError as error:
        raise ConfigError(f"environment: {error}; set its fields one by one instead") from None
    for name, value in mine.items():
        *sections, field = name.removeprefix(ENV_PREFIX.lower()).split("__")
        node = tree
        for section in sections:
            below = node.setdefault(section, {})
            if not isinstance(below, dict):
                raise ConfigError(f"environment: {name.upper()}: {section} is not a section")
            node = below
        node.setdefault(field, value)
    return tree


def _refuse_single_underscores(environ: Mapping[str, str]) -> None:
    """Refuse FER_EDGE_MQTT_URL, which would otherwise be ignored like any unknown variable."""
    prefix = ENV_PREFIX.removesuffix("_")
    right = {
        f"{prefix}{section}_{field}".upper(): f"{ENV_PREFIX}{section}__{field}".upper()
        for section in known_keys(())
        for field in known_keys((section,))
    }
    right["FER_EDGE_DEVICE"] = "FER_EDGE__DEVICE"
    for name in environ:
        flat = name.upper().replace("__", "_")
        if not name.upper().startswith(ENV_PREFIX) and flat in right:
            raise ConfigError(f"environment: {name}: write it as {right[flat]}")


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    """`over` on top of `base`; a section whose `type` changes is replaced whole."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            other_type = "type" in value and value["type"] != below.get("type")
            merged[key] = dict(value) if other_type else _merge(below, value)
        else:
            merged[key] = value
    return merged


def _explain(error: ErrorDetails, layers: list[Layer]) -> str:
    """One line: origin, key, what is wrong, what to do."""
    location = tuple(str(part) for part in error["loc"])
    # pydantic puts the chosen member of a union after its section; nobody wrote that.
    member = ""
    if len(location) > 2 and location[0] == "source":
        member, location = location[1], (location[0], *location[2:])
    layer = next((one for one in reversed(layers) if one.holds(location)), None)
    if layer is None:  # a missing field, or a rule over several fields
        layer = next((one for one in reversed(layers) if one.holds(location[:1])), layers[-1])
    place = f"{layer.origin}: {layer.describe(location)}"
    match error["type"]:
        case "extra_forbidden":
            return f"{place}: {_unknown(location, member)}"
        case "union_tag_invalid":
            return f"{place}: unknown type; use one of {error['ctx']['expected_tags']}"
        case "union_tag_not_found" if isinstance(error["input"], Mapping):
            return f"{place}.type is missing; use one of {', '.join(known_types(location))}"
        case "missing":
            return f"{place} is missing; add it"
        case "model_type" | "model_attributes_type" | "union_tag_not_found":
            return (
                f"{place}: is a section; set one of its fields: {', '.join(known_keys(location))}"
            )
    reason = str(error["ctx"]["error"]) if error["type"] == "value_error" else error["msg"]
    value = f" = {error['input']!r}"[:MAX_VALUE_CHARS] if _is_leaf(error) else ""
    return f"{place}{value}: {reason}"


def _is_leaf(error: ErrorDetails) -> bool:
    """A value worth repeating: not a whole section, and nothing that may be secret."""
    return isinstance(error["input"], str | int | float | bool) and "@" not in str(error["input"])


def _unknown(location: tuple[str, ...], member: str) -> str:
    """What to write instead; `member` is the type of a section that has several."""
    known = known_keys(location[:-1], member)
    near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.4)
    if near:
        return f"unknown key; did you mean {near[0]}?"
    return f"unknown key; known{f' for type {member}' if member else ''} are {', '.join(known)}"
