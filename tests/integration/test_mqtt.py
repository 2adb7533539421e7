"""MQTT against a real mosquitto: what a subscriber gets, and what a broker's faults cost."""

import gc
import logging
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import jsonschema
import psutil
import pytest
from broker import Broker, Recorder, make_certificates, wait_for
from publishing import (
    AVAILABILITY,
    DIAGNOSTICS,
    FACES,
    MANY,
    STATE,
    feed,
    is_connected,
    log_lines,
)

from fer_edge.camera import CameraState
from fer_edge.config import MqttConfig, RetryConfig
from fer_edge.errors import ConfigError
from fer_edge.sinks.mqtt.broker import find_broker
from fer_edge.sinks.mqtt.link import ANNOUNCE_S, Announcements, Link
from fer_edge.sinks.mqtt.message import MAX_PAYLOAD, Incoming, Message
from fer_edge.sinks.mqtt.sink import MqttSink
from fer_edge.sinks.payload import load_schema

CAMERA = "fer-edge/kitchen/camera"
DISCOVERY = "homeassistant/device/fer_edge_kitchen/config"


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as running:
        yield running


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_what_a_subscriber_gets(broker, camera, open_sink, protocol):
    with Recorder(broker) as recorder:
        sink = open_sink(broker.url, protocol=protocol)
        wait_for(is_connected(sink))
        feed(sink, camera, lambda: len(recorder.on(FACES)) >= 5, count=2)
        feed(sink, camera, lambda: recorder.on(FACES)[-1].json["faces"] == [], count=0)
        feed(sink, camera, lambda: recorder.on(STATE)[-1].json["faces"] == 0, count=0)
        wait_for(lambda: recorder.on(DIAGNOSTICS))
        sink.close()
        recorder.say("test", "last")
        wait_for(lambda: recorder.on("test"))
    # Not twice: a goodbye keeps the broker from telling the last will.
    assert recorder.payloads(AVAILABILITY) == [b"online", b"offline"]
    messages = [message.json for message in recorder.on(FACES)]
    for message in messages:
        jsonschema.validate(message, load_schema())
    assert [m["faces"] for m in messages].count([]) == 1
    assert messages[0]["device"] == "kitchen"
    seqs = [m["seq"] for m in messages]
    assert seqs == sorted(set(seqs))
    assert [m.json["emotion"] for m in recorder.on(STATE)] == ["happy", "none"]
    diagnostics = recorder.on(DIAGNOSTICS)[0].json
    assert diagnostics["uptime_s"] == 1.0
    assert diagnostics["mqtt"]["connects"] == 1
    assert {m.qos for m in recorder.on(FACES) + recorder.on(STATE)} == {0}


def test_only_availability_and_camera_are_kept_for_those_who_come_later(broker, camera, open_sink):
    sink = open_sink(broker.url)
    wait_for(is_connected(sink))
    for _ in range(20):
        sink.put(camera.see())
        time.sleep(0.02)
    with Recorder(broker) as late:
        wait_for(lambda: late.on(AVAILABILITY) and late.on(CAMERA))
        kept = {m.topic: (m.payload, m.qos) for m in late.messages if m.retain}
    assert kept.keys() == {AVAILABILITY, CAMERA}
    assert kept[AVAILABILITY] == (b"online", 1)
    assert kept[CAMERA][1] == 1


PROCESS = """
import sys, time
from fer_edge.camera import CameraState
from fer_edge.config import MqttConfig, RetryConfig
from fer_edge.errors import ConfigError
from fer_edge.sinks.mqtt.sink import MqttSink
MqttSink(MqttConfig(url=sys.argv[1]), "kitchen", retry=RetryConfig(), diagnostics=dict, camera=CameraState()).start()
time.sleep(60)
"""


def test_the_last_will_says_offline_after_sigkill(broker):
    with (
        Recorder(broker) as recorder,
        subprocess.Popen([sys.executable, "-c", PROCESS, broker.url]) as process,
    ):
        try:
            wait_for(lambda: recorder.payloads(AVAILABILITY) == [b"online"], 30)
        finally:
            process.send_signal(signal.SIGKILL)
        wait_for(lambda: recorder.payloads(AVAILABILITY) == [b"online", b"offline"])
    with Recorder(broker) as late:
        wait_for(lambda: late.payloads(AVAILABILITY) == [b"offline"])


def test_a_broker_that_comes_late(tmp_path, camera, open_sink, caplog):
    caplog.set_level(logging.INFO)
    broker = Broker(tmp_path)
    sink = open_sink(broker.url)
    early = datetime.now(UTC)
    for _ in range(40):
        sink.put(camera.see())
        sink.idle()
        time.sleep(0.02)
    assert not sink.connected
    (line,) = log_lines(caplog)
    assert "cannot reach" in line
    assert "Connection refused" in line
    with broker, Recorder(broker) as recorder:
        feed(sink, camera, lambda: recorder.on(FACES))
        captured = [datetime.fromisoformat(m.json["captured_at"]) for m in recorder.on(FACES)]
        assert (min(captured) - early).total_seconds() > 0.8
        assert log_lines(caplog)[1:] == [f"mqtt: connected to 127.0.0.1:{broker.port}"]
        sink.close()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_broker_that_restarts_gets_nothing_from_before(broker, camera, open_sink, protocol):
    sink = open_sink(broker.url, protocol=protocol, retry=RetryConfig(initial_s=2.0, max_s=2.0))
    with Recorder(broker) as recorder:
        feed(sink, camera, lambda: len(recorder.on(FACES)) >= 3)
        broker.kill()
    feed(sink, camera, lambda: not sink.connected)
    missed = [camera.see() for _ in range(50)]
    for result in missed:
        sink.put(result)
    broker.start()
    with Recorder(broker) as recorder:
        wait_for(is_connected(sink))
        for result in missed:
            sink.put(result)
        time.sleep(0.2)
        assert recorder.on(FACES) == recorder.on(STATE) == []
        feed(sink, camera, lambda: len(recorder.on(FACES)) >= 3 and recorder.on(STATE))
        last_missed = missed[-1].stamp.seq
        assert min(m.json["seq"] for m in recorder.on(FACES) + recorder.on(STATE)) > last_missed
        assert recorder.payloads(AVAILABILITY) == [b"online"]
        assert recorder.on(STATE)[0].json["faces"] == 1
        sink.close()


def pour(sink, camera, clock, count):
    """So many large results as fast as they can be made, on a clock that runs ahead of them."""
    for _ in range(count):
        clock.now_ns += 10_000_000
        sink.put(camera.see(MANY, captured_ns=clock.now_ns))


def fill(sink, camera, clock):
    """Pour until nothing gets through any more, not even after a pause."""

    def full():
        pour(sink, camera, clock, 50)
        time.sleep(0.1)
        before = sink.dropped
        pour(sink, camera, clock, 5)
        return sink.dropped == before + 5

    wait_for(full)


class Clock:
    def __init__(self):
        self.now_ns = time.monotonic_ns()

    def __call__(self):
        return self.now_ns


def test_a_broker_that_hangs_costs_neither_time_nor_memory(broker, camera, open_sink, caplog):
    clock = Clock()
    sink = open_sink(broker.url, clock_ns=clock)
    wait_for(is_connected(sink))
    broker.freeze()
    fill(sink, camera, clock)
    gc.collect()
    before, dropped_before = psutil.Process().memory_info().rss, sink.dropped
    longest_s = 0.0
    for _ in range(2000):
        begun = time.perf_counter()
        pour(sink, camera, clock, 1)
        longest_s = max(longest_s, time.perf_counter() - begun)
    # Kept, they would be 36 MB.
    assert psutil.Process().memory_info().rss - before < 10e6
    assert sink.dropped - dropped_before > 1900
    assert longest_s < 1.0
    begun = time.monotonic()
    sink.close()
    assert time.monotonic() - begun < 1.0
    assert not [line for line in log_lines(caplog) if "left behind" in line]


def test_after_a_short_hang_the_stream_goes_on(broker, camera, open_sink):
    clock = Clock()
    with Recorder(broker) as recorder:
        sink = open_sink(broker.url, clock_ns=clock)
        wait_for(is_connected(sink))
        broker.freeze()
        fill(sink, camera, clock)
        clock.now_ns += 10**9
        sink.put(camera.see(0, captured_ns=clock.now_ns))
        broker.thaw()

        def told_that_nobody_is_left():
            clock.now_ns += 10**9
            sink.idle()
            told = [message.json["faces"] for message in recorder.on(FACES)[-1:]]
            told += [message.json["faces"] for message in recorder.on(STATE)[-1:]]
            return told == [[], 0]

        wait_for(told_that_nobody_is_left)
        assert sink.connected


def test_a_hang_is_noticed_by_the_keep_alive(broker, camera, open_sink, caplog):
    caplog.set_level(logging.INFO)
    sink = open_sink(broker.url, keepalive_s=1)
    wait_for(is_connected(sink))
    broker.freeze()
    feed(sink, camera, lambda: not sink.connected)
    wait_for(lambda: "lost the connection" in log_lines(caplog)[-1])
    assert "keep alive" in log_lines(caplog)[-1].lower()
    begun = time.monotonic()
    sink.close()
    assert time.monotonic() - begun < 1.0


def test_closing_while_the_broker_does_not_answer(broker, open_sink):
    broker.freeze()
    sink = open_sink(broker.url)
    time.sleep(0.3)
    assert not sink.connected
    begun = time.monotonic()
    sink.close()
    assert time.monotonic() - begun < 1.0


def test_something_else_listens_there(open_sink, camera, caplog):
    caplog.set_level(logging.INFO)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        sink = open_sink(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00", b"\xff" * 64):
            peer, _ = server.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(answer)
        peer, _ = server.accept()
        peer.close()
        sink.put(camera.see())
        assert not sink.connected
        sink.close()
    assert all("cannot reach" in line for line in log_lines(caplog))


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [("mqtt", "takes the connection, but does not answer"), ("mqtts", "no answer")],
)
def test_something_that_takes_connections_and_says_nothing(open_sink, caplog, scheme, expected):
    with socket.create_server(("127.0.0.1", 0)) as mute, caplog.at_level(logging.WARNING):
        sink = open_sink(f"{scheme}://127.0.0.1:{mute.getsockname()[1]}", keepalive_s=3600)
        wait_for(lambda: caplog.messages, 20)
        assert not sink.connected
        # Before the socket is closed: a later attempt is then refused, which is another line.
        (line,) = caplog.messages
    assert f": {expected}; trying again until it works" in line


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"), "broker")


def test_tls_with_password_and_client_certificate(tmp_path, certificates, open_sink, camera):
    (tmp_path / "password").write_text("it\n")
    with Broker(
        tmp_path, users={"camera": "it"}, certificates=certificates, client_certificates=True
    ) as broker:
        sink = open_sink(
            broker.url,
            username="camera",
            password_file=tmp_path / "password",
            ca_file=certificates.ca,
            cert_file=certificates.cert,
            key_file=certificates.key,
        )
        wait_for(is_connected(sink))
        for _ in range(20):
            sink.put(camera.see(20))
        assert sink.connected
        sink.close()


def test_home_assistant_is_told_and_told_again_after_its_births_but_not_after_each(
    broker, open_sink, camera
):
    clock = Clock()
    with Recorder(broker) as recorder:
        sink = open_sink(broker.url, home_assistant=True, clock_ns=clock)
        (first,) = wait_for(lambda: recorder.on(DISCOVERY))
        feed(sink, camera, lambda: recorder.on(STATE))
        recorder.say("homeassistant/status", "offline")
        for _ in range(200):
            recorder.say("homeassistant/status", "online")
        clock.now_ns += round(ANNOUNCE_S * 1e9)
        wait_for(lambda: len(recorder.on(DISCOVERY)) == 2)
        assert recorder.on(DISCOVERY)[1].payload == first.payload
        assert first.qos == 1
        feed(sink, camera, lambda: len(recorder.on(STATE)) == 2)
        # One more, after which all that came before has been read.
        recorder.say("homeassistant/status", "online")
        time.sleep(0.5)
        assert len(recorder.on(DISCOVERY)) == 2
        clock.now_ns += round(ANNOUNCE_S * 1e9)
        wait_for(lambda: len(recorder.on(DISCOVERY)) == 3)
        sink.close()
    with Recorder(broker) as late:
        (kept,) = wait_for(lambda: late.on(DISCOVERY))
        assert kept.retain


def test_without_home_assistant_nothing_is_announced(broker, open_sink):
    with Recorder(broker) as recorder:
        sink = open_sink(broker.url)
        wait_for(is_connected(sink))
        sink.close()
        wait_for(lambda: recorder.payloads(AVAILABILITY) == [b"online", b"offline"])
        assert all(m.topic.startswith("fer-edge/kitchen/") for m in recorder.messages)


def test_no_thread_and_no_file_is_left(broker):
    def use():
        sink = MqttSink(
            MqttConfig(url=broker.url),
            "kitchen",
            retry=RetryConfig(),
            diagnostics=dict,
            camera=CameraState(),
        )
        sink.start()
        wait_for(is_connected(sink))
        sink.close()

    process = psutil.Process()
    use()
    gc.collect()
    before = process.num_threads(), process.num_fds()
    for _ in range(3):
        use()
    gc.collect()
    assert (process.num_threads(), process.num_fds()) == before


def test_an_encrypted_key_is_refused_instead_of_asked_for(tmp_path, certificates):
    key = tmp_path / "encrypted.pem"
    command = ["openssl", "pkey", "-in", certificates.key, "-aes128", "-passout", "pass:x"]
    subprocess.run([*command, "-out", key], check=True, capture_output=True)
    with pytest.raises(ConfigError, match=r"mqtt.key_file: .* is encrypted"):
        MqttSink(
            MqttConfig(url="mqtts://127.0.0.1", cert_file=certificates.cert, key_file=key),
            "kitchen",
            retry=RetryConfig(),
            diagnostics=dict,
            camera=CameraState(),
        )


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_more_topics_can_be_received_and_the_present_is_told_on_every_connect(broker, protocol):
    heard = []
    prefix = "fer-edge/kitchen"
    present = [Message(f"{prefix}/camera", b"1", qos=1, retain=True)]
    announcements = Announcements(
        will=Message(AVAILABILITY, b"offline", qos=1, retain=True),
        online=Message(AVAILABILITY, b"online", qos=1, retain=True),
        current=lambda: present,
        subscriptions=[f"{prefix}/set/#"],
        on_message=heard.append,
    )
    link = Link(
        find_broker(MqttConfig(url=broker.url, protocol=protocol), "kitchen"),
        announcements,
        retry=RetryConfig(initial_s=0.05, max_s=0.2),
        random=lambda: 1.0,
        clock_ns=time.monotonic_ns,
    )
    with Recorder(broker) as recorder:
        recorder.say(f"{prefix}/set/kept", "old", retain=True)
        link.start()
        try:
            wait_for(lambda: recorder.payloads(f"{prefix}/camera") == [b"1"])
            wait_for(lambda: heard)
            recorder.say(f"{prefix}/set/long", "x" * (MAX_PAYLOAD + 1))
            recorder.say(f"{prefix}/set/longer", "x" * (100 * MAX_PAYLOAD))
            recorder.say(f"{prefix}/set/recognition", "on")
            wait_for(lambda: len(heard) == 2)
        finally:
            link.stop()
    assert heard == [
        Incoming(f"{prefix}/set/kept", b"old", retained=True),
        Incoming(f"{prefix}/set/recognition", b"on"),
    ]
