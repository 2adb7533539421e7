"""The tables and examples of docs/mqtt.md that come out of the program.

    python tests/reference.py --check    exit code 1 if the document differs
    python tests/reference.py --write    put them into it

Each stands between `<!-- NAME -->` and `<!-- end of NAME -->`; what is outside is written by hand.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.sinks.mqtt.home_assistant import discovery_messages
from fer_edge.sinks.mqtt.summary import Summary
from fer_edge.sinks.payload import JsonObject, faces_message, load_schema
from fer_edge.stats import NS_PER_MS, NS_PER_S
from fer_edge.types import Affect, Box, Emotion, Face, Result, Stamp, Track

DOCUMENT = Path(__file__).parents[1] / "docs" / "mqtt.md"
DEVICE = "livingroom"
PREFIX = f"fer-edge/{DEVICE}"
WIDTH = 100


def example() -> Result:
    """A picture with one happy face."""
    at = datetime(2026, 11, 27, 7, 19, 26, 227_000, UTC)
    probabilities = np.array([0.02, 0.95, 0.01, 0.01, 0.0, 0.0, 0.0, 0.01], np.float32)
    track = Track(1, Box(1228, 360, 384, 384), at - timedelta(seconds=13.166), angle=-3.5)
    face = Face(track, Emotion.HAPPY, 0.95, Affect(probabilities, 0.4473, 0.1671))
    return Result(Stamp(395, 0, at, 1920, 1080), (face,))


def fields(node: Mapping[str, Any], schema: Mapping[str, Any], base: str = "") -> Iterator[str]:
    """A row for each field of an object of the schema, those of the faces after it."""
    for name, field in node["properties"].items():
        whole = _resolved(field, schema)
        optional = "" if name in node["required"] else "optional: "
        text = _described(field, whole)
        yield f"| `{base}{name}` | {optional}{_type(whole, schema)} | {text} |"
        if "properties" in (items := _resolved(whole.get("items", {}), schema)):
            yield from fields(items, schema, f"{base}{name}[].")


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in node:
        return node
    return schema["$defs"][node["$ref"].removeprefix("#/$defs/")]


def _described(field: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    text = field.get("description", whole.get("description", "")).removesuffix(".")
    if "const" in whole:
        text = "name and version of the message"
    if not text:
        text = "name of the device"
    return text[:1].lower() + text[1:] if not text.startswith("RFC") else text


def _type(node: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{one}`" for one in node["enum"])
    if node.get("format") == "date-time":
        return "time"
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    if "array" in kinds and "items" in _resolved(node["items"], schema):
        kinds = [f"list of {node['minItems']} points `[x, y]`"]
    if "object" in kinds:
        kinds = ["object of " + ", ".join(f"`{name}`" for name in node["properties"])]
    words = {"array": "list", "null": "`null`"}
    return " or ".join(words.get(kind, kind) for kind in kinds) + _limits(node)


def _limits(node: Mapping[str, Any]) -> str:
    least, most = node.get("minimum"), node.get("maximum")
    if least is not None and most is not None:
        return f", {least} to {most}"
    return "" if least is None else f", {least} or more"


def entities() -> Iterator[str]:
    """A row for each entity that Home Assistant is told of; triggers are none."""
    (message,) = discovery_messages(DEVICE, PREFIX, "homeassistant", model_widths=(0.25, 0.5))
    for entity in json.loads(message.payload)["components"].values():
        if "name" not in entity:
            continue
        topic = entity.get("state_topic") or entity["command_topic"]
        found = re.search(r"value_json\.(\w+)", entity.get("value_template", ""))
        field = f"`{found[1]}`" if found else ""
        unit = entity.get("unit_of_measurement", "")
        short = topic.removeprefix(f"{PREFIX}/")
        yield f"| {entity['name']} | {entity['platform']} | `{short}` | {field} | {unit} |"


def blocks() -> dict[str, str]:
    """What belongs between the markers, by their name."""
    schema = load_schema()
    faces = faces_message(example(), DEVICE, now_ns=round(4.8 * NS_PER_MS))
    return {
        "example of faces": _code(faces),
        "fields of faces": "| field | type | meaning |\n|---|---|---|\n"
        + "\n".join(fields(schema, schema)),
        "example of state": _code(state()),
        "entities": "| entity | platform | topic | field | unit |\n|---|---|---|---|---|\n"
        + "\n".join(entities()),
    }


def state() -> JsonObject:
    """What `state` says after a second of that picture."""
    summary, result = Summary(DEVICE), example()
    summary.make(result)
    later = replace(result.stamp, captured_ns=NS_PER_S)
    return summary.make(replace(result, stamp=later))


def _code(message: Mapping[str, Any]) -> str:
    return f"```json\n{_laid_out(message, 0)}\n```"


def _laid_out(value: Any, indent: int, label: int = 0) -> str:
    """JSON in lines of at most `WIDTH`, filled as far as they go."""
    text = json.dumps(value, ensure_ascii=False)
    if indent + label + len(text) <= WIDTH or not isinstance(value, Mapping | list):
        return text
    indent += 1
    if isinstance(value, list):
        return f"[{_filled([_laid_out(one, indent) for one in value], indent, label)}]"
    keys = [json.dumps(key) + ": " for key in value]
    parts = [
        key + _laid_out(one, indent, len(key))
        for key, one in zip(keys, value.values(), strict=True)
    ]
    return "{" + _filled(parts, indent, label) + "}"


def _filled(parts: list[str], indent: int, label: int) -> str:
    """The parts in lines; before the first one `label` characters stand already."""
    lines = [""]
    for part in parts:
        first = part.split("\n", 1)[0]
        used = indent + len(lines[-1]) + (label if len(lines) == 1 else 0)
        together = f"{lines[-1]}, {part}" if lines[-1] else part
        if lines[-1] and ("\n" in part or used + len(first) + 3 > WIDTH):
            lines[-1] += ","
            lines.append(part)
        else:
            lines[-1] = together
    return ("\n" + " " * indent).join(lines)


def filled(text: str) -> str:
    """The document with every block as it should be.

    Raises:
        ValueError: a marker is missing.
    """
    for name, block in blocks().items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not (found and ended):
            raise ValueError(f"{DOCUMENT.name}: {begin} … {end} is missing; add both")
        text = f"{before}{begin}\n{block}\n{end}{after}"
    return text


def main() -> None:
    """Check or write."""
    text = DOCUMENT.read_text("utf-8")
    if sys.argv[1:] == ["--write"]:
        DOCUMENT.write_text(filled(text), "utf-8")
    elif sys.argv[1:] != ["--check"]:
        sys.exit("usage: python tests/reference.py --check|--write")
    elif filled(text) != text:
        sys.exit("docs/mqtt.md differs from the program: python tests/reference.py --write")


if __name__ == "__main__":
    main()
