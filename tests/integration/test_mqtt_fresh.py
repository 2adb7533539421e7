"""What arrives is fresh: a broker that stands still, a link that is slow or gone, a large message."""

import gc
import logging
import time

import psutil
import pytest
from broker import Broker, Recorder, wait_for
from proxy import Proxy
from publishing import DIAGNOSTICS, FACES, STATE, feed, is_connected, log_lines

from fer_edge.config import RetryConfig
from fer_edge.sinks.mqtt import window
from fer_edge.sinks.mqtt.schedule import FRESH_S


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as running:
        yield running


def old(recorder):
    return [m for m in recorder.on(FACES) if m.at - m.captured_at > FRESH_S]


def feed_for(sink, camera, seconds, count=1):
    end = time.monotonic() + seconds
    feed(sink, camera, lambda: time.monotonic() > end, count)


def go_on(sink, camera, recorder):
    """Until there are new faces again."""
    feed(sink, camera, lambda: sink.connected)
    before = len(recorder.on(FACES))
    feed(sink, camera, lambda: len(recorder.on(FACES)) > before + 10)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_broker_that_stood_still_delivers_two_old_faces_at_most(
    broker, camera, open_sink, protocol
):
    with Recorder(broker) as recorder:
        sink = open_sink(broker.url, protocol=protocol, diagnostics_s=0.5)
        wait_for(is_connected(sink))
        go_on(sink, camera, recorder)
        broker.freeze()
        feed_for(sink, camera, FRESH_S + 1)
        broker.thaw()
        go_on(sink, camera, recorder)
        assert sink.connected
        assert len(old(recorder)) <= window.PER_TOPIC
        assert sink.dropped > 50
        wait_for(lambda: feed_for(sink, camera, 0.1) or len(recorder.on(DIAGNOSTICS)) >= 3)
        assert max(m.json["mqtt"]["queue_ms"] for m in recorder.on(DIAGNOSTICS)) > 2000


def test_a_connection_without_acknowledgement_is_cut_and_nothing_old_comes_after(
    broker, camera, open_sink, caplog, monkeypatch
):
    monkeypatch.setattr(window, "SILENCE_S", 1.0)
    with Recorder(broker) as recorder, Proxy(broker.port) as proxy:
        sink = open_sink(proxy.url, retry=RetryConfig(initial_s=0.5, max_s=0.5))
        go_on(sink, camera, recorder)
        proxy.hold()
        feed(sink, camera, lambda: not sink.connected)
        assert "no acknowledgement" in log_lines(caplog)[-1]
        feed_for(sink, camera, FRESH_S)
        proxy.go_on()
        go_on(sink, camera, recorder)
        assert len(old(recorder)) <= window.PER_TOPIC
        sink.close()


def test_over_a_slow_link_faces_are_few_but_fresh(broker, camera, open_sink):
    with Recorder(broker) as recorder, Proxy(broker.port) as proxy:
        sink = open_sink(proxy.url)
        go_on(sink, camera, recorder)
        proxy.limit(1000)
        feed_for(sink, camera, 6)
        proxy.limit(None)
        go_on(sink, camera, recorder)
        assert len(old(recorder)) <= window.PER_TOPIC
        slow = [m for m in recorder.on(FACES) if m.at - m.captured_at > 0.3]
        assert len(slow) >= 5, "something must have arrived"
        assert recorder.on(STATE)


def test_mqtt_5_says_what_a_message_is_and_when_it_is_void(broker, camera, open_sink):
    with Recorder(broker, v5=True) as recorder:
        sink = open_sink(broker.url, protocol="5")
        feed(sink, camera, lambda: recorder.on(FACES) and recorder.on(STATE))
        faces, state = recorder.on(FACES)[0].properties, recorder.on(STATE)[0].properties
    assert faces.ContentType == state.ContentType == "application/json"
    assert 1 <= faces.MessageExpiryInterval <= FRESH_S
    assert not hasattr(state, "MessageExpiryInterval")


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_retained_message_of_50_mb_fills_no_memory(broker, camera, open_sink, protocol, caplog):
    caplog.set_level(logging.WARNING)
    with Recorder(broker, topic="fer-edge/#") as recorder:
        recorder.say("homeassistant/status", "x" * 50_000_000, retain=True)
        gc.collect()
        before = psutil.Process().memory_info().rss
        sink = open_sink(broker.url, protocol=protocol, home_assistant=True)
        go_on(sink, camera, recorder)
        assert psutil.Process().memory_info().rss - before < 20e6
        assert log_lines(caplog) == []
        sink.close()


def test_leaving_is_told_of_the_newest_picture(broker, camera, open_sink):
    """What waited while the broker stood still is not told as it was then."""
    with Recorder(broker) as recorder:
        sink = open_sink(broker.url)
        go_on(sink, camera, recorder)
        broker.freeze()
        feed_for(sink, camera, 0.5)
        feed_for(sink, camera, FRESH_S + 0.5, count=0)
        newest = camera.see(0)
        broker.thaw()
        feed(sink, camera, lambda: recorder.on(FACES)[-1].json["faces"] == [], count=0)
        assert recorder.on(FACES)[-1].json["seq"] >= newest.stamp.seq - 2
        assert len(old(recorder)) <= window.PER_TOPIC
