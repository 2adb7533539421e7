"""Diagnostics for Prometheus: an HTTP server that answers with the present values.

Text exposition format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from fer_edge import __version__
from fer_edge.config import MetricsConfig
from fer_edge.errors import SinkError
from fer_edge.types import Result

COUNTERS = {
    "searches": "Searches of the whole picture for faces.",
    "unreadable_frames": "Pictures that could not be decoded.",
    "source_retries": "Attempts to open a camera that was lost.",
}
GAUGES = {
    "uptime_s": ("uptime_seconds", "Seconds since the start."),
    "temperature_c": ("temperature_celsius", "The board's temperature."),
}
OTHERWISE_TOLD = frozenset(
    {"frame_rate_in", "frame_rate_out", "dropped", "source_lost", "latency_ms", "model"}
    | {"throttled"}
)


class MetricsSink:
    """Serves `GET /metrics`; takes of the results only how many faces there are."""

    name = "metrics"
    connected = None

    def __init__(
        self,
        config: MetricsConfig,
        device: str,
        *,
        diagnostics: Callable[[], Mapping[str, object]],
        broker: Callable[[], bool | None],
    ) -> None:
        """Not listening yet.

        Args:
            config: Where to listen.
            device: Name of this device.
            diagnostics: The values.
            broker: Whether there is a connection to the broker; None without a broker.
        """
        self._config = config
        self._collector = DiagnosticsCollector(device, diagnostics, broker)
        self._server: Any = None
        self._thread: Any = None

    def start(self) -> None:
        """Listen.

        Raises:
            SinkError: the address is not free, or not of this machine.
        """
        host, port = self._config.address()
        registry = CollectorRegistry()
        registry.register(self._collector)
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except OSError as error:
            raise SinkError(
                f"metrics.listen: cannot listen on {self._config.listen}: "
                f"{error.strerror or error}; choose another address or port"
            ) from None

    def put(self, result: Result) -> None:
        """Remember how many faces there are."""
        self._collector.faces = len(result.faces)

    def idle(self) -> None:
        """Nothing is due by time."""

    def close(self) -> None:
        """Stop listening."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = None


class DiagnosticsCollector:
    """Turns the values of the `diagnostics` message into metrics whenever they are asked for."""

    def __init__(
        self,
        device: str,
        diagnostics: Callable[[], Mapping[str, object]],
        broker: Callable[[], bool | None],
    ) -> None:
        self.faces = 0
        """How many faces are in view."""
        self._device = device
        self._diagnostics = diagnostics
        self._broker = broker

    def collect(self) -> Iterator[Metric]:
        """All metrics; what cannot be read is left out."""
        values = self._diagnostics()
        yield _labelled(
            GaugeMetricFamily,
            "info",
            "Always 1; the labels say who this is.",
            ("device", "version", "model"),
            {(self._device, __version__, str(values.get("model"))): 1},
        )
        yield GaugeMetricFamily("fer_edge_faces", "Faces in view.", self.faces)
        lost = values.get("source_lost")
        yield GaugeMetricFamily("fer_edge_source_up", "1 while the camera delivers.", not lost)
        connected = self._broker()
        if connected is not None:
            yield GaugeMetricFamily("fer_edge_mqtt_up", "1 while a broker is there.", connected)
        yield _labelled(
            GaugeMetricFamily,
            "frame_rate_hertz",
            "Pictures a second from the camera (in), results a second (out).",
            ("stage",),
            {(way,): values.get(f"frame_rate_{way}") for way in ("in", "out")},
        )
        yield _labelled(
            CounterMetricFamily,
            "dropped",
            "Pictures or results that a stage was too slow for.",
            ("stage",),
            {(stage,): count for stage, count in _mapping(values, "dropped").items()},
        )
        yield _latency(_mapping(values, "latency_ms"))
        yield from _plain(values)


def _plain(values: Mapping[str, object]) -> Iterator[Metric]:
    """Numbers that need no label, those that have no name of their own here too."""
    if "throttled" in values and values["throttled"] is not None:
        yield GaugeMetricFamily(
            "fer_edge_throttled", "1 while the firmware slows the board.", bool(values["throttled"])
        )
    for key, value in values.items():
        if key in OTHERWISE_TOLD or not isinstance(value, int | float):
            continue
        if key in COUNTERS:
            yield CounterMetricFamily(f"fer_edge_{key}", COUNTERS[key], value)
        else:
            name, text = GAUGES.get(key, (key, f"Value {key} of the diagnostics message."))
            yield GaugeMetricFamily(f"fer_edge_{name}", text, value)


def _latency(stages: Mapping[str, Any]) -> Metric:
    quantiles = {"p50": "0.5", "p95": "0.95"}
    rows: dict[tuple[str, ...], float] = {
        (stage, quantile): summary[key] / 1000
        for stage, summary in stages.items()
        if isinstance(summary, Mapping)
        for key, quantile in quantiles.items()
        if key in summary
    }
    text = "Duration of a stage, quantiles of the last thousand."
    return _labelled(GaugeMetricFamily, "latency_seconds", text, ("stage", "quantile"), rows)


def _labelled(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    text: str,
    labels: tuple[str, ...],
    rows: Mapping[tuple[str, ...], Any],
) -> Metric:
    family = kind(f"fer_edge_{name}", text, labels=labels)
    for values, number in rows.items():
        if isinstance(number, int | float):
            family.add_metric(values, float(number))
    return family


def _mapping(values: Mapping[str, object], key: str) -> Mapping[str, Any]:
    value = values.get(key)
    return value if isinstance(value, Mapping) else {}
