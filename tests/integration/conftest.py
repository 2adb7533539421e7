"""A camera that makes results, and sinks that publish them.

What needs paho is imported where it is used: with tflite-runtime the tests of this folder that need no
broker run without it.
"""

import gc
import time

import pytest

from fer_edge.camera import CameraState
from fer_edge.config import MqttConfig, RetryConfig


def delivering():
    """The state of a camera that has delivered pictures ever since."""
    state = CameraState()
    state.delivers(0)
    return state


@pytest.fixture
def camera():
    from publishing import Camera

    return Camera()


@pytest.fixture
def open_sink():
    """Opens sinks that are closed at the end; their retries are quick."""
    from fer_edge.sinks.mqtt.sink import MqttSink

    opened = []

    def make(url, *, retry=None, clock_ns=time.monotonic_ns, keepalive_s=30, **fields):
        config = MqttConfig(url=url, max_rate_hz=100.0, **fields)
        sink = MqttSink(
            # Past the lower limit that the configuration has.
            config.model_copy(update={"keepalive_s": keepalive_s}),
            "kitchen",
            retry=retry or RetryConfig(initial_s=0.05, max_s=0.2),
            diagnostics=lambda: {"uptime_s": 1.0},
            camera=delivering(),
            clock_ns=clock_ns,
        )
        opened.append(sink)
        sink.start()
        return sink

    yield make
    for sink in opened:
        sink.close()
    opened.clear()
    gc.collect()  # a socket that was left open shows here, as an error
