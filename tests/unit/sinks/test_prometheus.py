"""Metrics over real HTTP, read by the client library's own parser."""

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fer_edge.config import Config, MetricsConfig
from fer_edge.errors import SinkError
from fer_edge.sinks.metrics import MetricsSink


@pytest.fixture
def listen():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{sock.getsockname()[1]}"


def scrape(listen):
    with urllib.request.urlopen(f"http://{listen}/metrics", timeout=10) as response:
        text = response.read().decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def open_metrics(listen):
    opened = []

    def make(values, connected=None):
        sink = MetricsSink(
            MetricsConfig(listen=listen),
            "kitchen",
            diagnostics=lambda: values,
            broker=lambda: connected,
        )
        opened.append(sink)
        sink.start()
        return sink

    yield make
    for sink in opened:
        sink.close()


def test_what_the_device_measures_is_told(listen, open_metrics, result, face):
    values = {
        "frame_rate_in": 30.0,
        "frame_rate_out": 0.0,
        "dropped": {"vision": 2},
        "searches": 3,
        "source_lost": None,
        "latency_ms": {"detect": {"p50": 5.0, "p95": 9.0, "mean": 6.0}, "classify": None},
        "model": "a model",
        "uptime_s": 1.5,
    }
    sink = open_metrics(values, connected=True)
    sink.put(result(face(1), face(2)))
    told = scrape(listen)
    assert told["fer_edge_faces",] == 2
    assert told["fer_edge_source_up",] == 1
    assert told["fer_edge_mqtt_up",] == 1
    assert told["fer_edge_searches_total",] == 3
    assert told["fer_edge_dropped_total", ("stage", "vision")] == 2
    assert told["fer_edge_frame_rate_hertz", ("stage", "in")] == 30
    p50 = told["fer_edge_latency_seconds", ("quantile", "0.5"), ("stage", "detect")]
    assert p50 == pytest.approx(0.005)
    assert told["fer_edge_uptime_seconds",] == 1.5
    (info,) = (key for key in told if key[0] == "fer_edge_info")
    assert {("device", "kitchen"), ("model", "a model")} <= set(info[1:])


def test_what_cannot_be_read_is_left_out_and_what_is_new_is_told(listen, open_metrics):
    values = {"source_lost": "unplugged", "temperature_c": None, "throttled": [], "queue_s": 1.5}
    open_metrics(values)
    told = scrape(listen)
    assert told["fer_edge_source_up",] == 0
    assert told["fer_edge_throttled",] == 0
    assert told["fer_edge_queue_s",] == 1.5
    assert not [key for key in told if "temperature" in key[0] or "mqtt" in key[0]]


def test_after_its_end_nobody_listens_and_the_address_is_free(listen, open_metrics):
    open_metrics({}).close()
    with pytest.raises(OSError, match="refused"):
        scrape(listen)
    open_metrics({}).close()


def test_an_address_that_is_taken_is_named(listen, open_metrics):
    open_metrics({})
    with pytest.raises(SinkError, match=f"metrics.listen: cannot listen on {listen}: .*another"):
        open_metrics({})


def test_it_is_off_by_default():
    assert Config().metrics.listen is None


@pytest.mark.parametrize(
    "listen", ["9464", ":9464", "host", "host:", "host:99999", "a@b:1", "h:1/x"]
)
def test_a_wrong_address_is_refused(listen):
    with pytest.raises(ValueError, match=r"write it as 127\.0\.0\.1:9464|(?i:port)"):
        MetricsConfig(listen=listen)


def test_an_address_may_be_of_version_6():
    assert MetricsConfig(listen="[::1]:9464").address() == ("::1", 9464)
