"""Where results go: JSON lines, a live table, an MQTT broker, LSL, Prometheus; any number at once."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TextIO, assert_never

from fer_edge.camera import CameraState
from fer_edge.config import Config, OutputConfig
from fer_edge.errors import ConfigError
from fer_edge.settings import Adjustable
from fer_edge.statefile import StateFile
from fer_edge.stdio import is_journal
from fer_edge.types import Sink


def open_sinks(
    config: Config,
    diagnostics: Callable[[], Mapping[str, object]],
    camera: CameraState,
    *,
    controls: Adjustable | None = None,
    state: StateFile | None = None,
) -> Iterator[Sink]:
    """Those that `config` asks for, one after the other, but for standard output and screen.

    Args:
        config: The whole configuration.
        diagnostics: What is published of the device's own state.
        camera: Whether there are pictures.
        controls: What commands from a broker change; none are taken without.
        state: What is remembered over a restart.

    Raises:
        ConfigError: the broker's settings cannot be used, or a package is missing.
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
    mqtt: Sink | None = None
    if config.mqtt.url is not None:
        from fer_edge.sinks.mqtt.sink import MqttSink

        mqtt = MqttSink(
            config.mqtt,
            config.device,
            retry=config.retry,
            diagnostics=diagnostics,
            controls=controls,
            state=state,
            camera=camera,
            zones=config.counting_zones,
        )
        yield mqtt
    if config.lsl.enabled:
        from fer_edge.sinks.lsl import LslSink

        yield LslSink(config.lsl, config.device)
    if config.metrics.listen is not None:
        yield _open_metrics(config, diagnostics, mqtt)


def _open_metrics(
    config: Config, diagnostics: Callable[[], Mapping[str, object]], mqtt: Sink | None
) -> Sink:
    try:
        from fer_edge.sinks.metrics import MetricsSink
    except ModuleNotFoundError:
        raise ConfigError(
            "metrics.listen: prometheus-client is missing; pip install 'fer-edge[metrics]'"
        ) from None
    return MetricsSink(
        config.metrics,
        config.device,
        diagnostics=diagnostics,
        broker=lambda: None if mqtt is None else mqtt.connected,
    )


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
