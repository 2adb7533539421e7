"""Where results go: JSON lines, a live table, an MQTT broker; any number at once."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TextIO, assert_never

from fer_edge.config import Config, OutputConfig
from fer_edge.stdio import is_journal
from fer_edge.types import Sink


def open_sinks(config: Config, diagnostics: Callable[[], Mapping[str, object]]) -> Iterator[Sink]:
    """The file and the broker, where `config` asks for them, one after the other.

    Args:
        config: The whole configuration.
        diagnostics: What is published of the device's own state.

    Raises:
        ConfigError: the broker's settings cannot be used.
        SinkError: the file cannot be opened.
    """
    if config.jsonl.path is not None:
        from fer_edge.sinks.jsonl_file import JsonlFileSink

        yield JsonlFileSink(
            config.jsonl.path,
            config.jsonl,
            config.device,
            retry=config.retry,
            # Of a recording no line may be missing.
            strict=getattr(config.source, "fast", False),
        )
    if config.mqtt.url is not None:
        from fer_edge.sinks.mqtt.sink import MqttSink

        yield MqttSink(config.mqtt, config.device, retry=config.retry, diagnostics=diagnostics)


def open_output(config: OutputConfig, device: str, stream: TextIO) -> Sink | None:
    """The sink for standard output, if it is to have one."""
    kind = _automatic(stream) if config.stdout == "auto" else config.stdout
    match kind:
        case "table":
            from fer_edge.sinks.table import StrictConsole, TableSink

            return TableSink(StrictConsole(file=stream))
        case "jsonl":
            from fer_edge.sinks.jsonl import JsonlSink

            return JsonlSink(stream, device)
        case "none":
            return None
        case _:
            assert_never(kind)


def _automatic(stream: TextIO) -> Literal["table", "jsonl", "none"]:
    """A table for a person, JSON lines for a program, nothing in the journal, which it would fill."""
    if stream.isatty():
        return "table"
    return "none" if is_journal(stream) else "jsonl"
