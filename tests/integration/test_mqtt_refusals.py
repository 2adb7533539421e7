"""A broker that refuses: one clear line each, nothing is published, and the rest goes on."""

import logging
import socket
import time

import pytest
from broker import Broker, Recorder, make_certificates, wait_for
from publishing import AVAILABILITY, STATE, feed, is_connected, log_lines

from fer_edge.config import RetryConfig

PREFIX = "fer-edge/kitchen"


def assert_refused(sink, caplog, *words):
    """Several attempts, one line, no connection."""
    wait_for(lambda: log_lines(caplog))
    for _ in range(10):
        assert not sink.connected
        time.sleep(0.1)
    (line,) = log_lines(caplog)
    for word in words:
        assert word in line
    assert "Traceback" not in caplog.text
    begun = time.monotonic()
    sink.close()
    assert time.monotonic() - begun < 1.0


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_wrong_password_is_said_once_and_can_be_corrected(tmp_path, open_sink, caplog, protocol):
    caplog.set_level(logging.INFO)
    (tmp_path / "password").write_text("not it")
    with Broker(tmp_path, users={"camera": "it"}) as broker:
        sink = open_sink(
            broker.url,
            username="camera",
            password_file=tmp_path / "password",
            protocol=protocol,
        )
        wait_for(lambda: log_lines(caplog))
        time.sleep(1.0)  # several attempts
        assert not sink.connected
        (line,) = log_lines(caplog)
        assert "Not authorized" in line
        assert "check mqtt.username and mqtt.password_file" in line
        assert caplog.records[-1].levelno == logging.ERROR
        broker.set_password("camera", "not it")
        broker.reload()
        wait_for(is_connected(sink))
        assert "not it" not in caplog.text
        with Recorder(broker, username="camera", password="not it") as recorder:
            wait_for(lambda: recorder.payloads(AVAILABILITY) == [b"online"])
        sink.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"names": "DNS:elsewhere.local"}, ["not valid for '127.0.0.1'", "into mqtt.url"]),
        ({"expired": True}, ["certificate has expired", "renew the broker's certificate"]),
    ],
)
def test_a_certificate_that_is_none(tmp_path, open_sink, caplog, options, words):
    caplog.set_level(logging.INFO)
    certificates = make_certificates(tmp_path / "tls", "broker", **options)
    with Broker(tmp_path, certificates=certificates) as broker:
        sink = open_sink(broker.url, ca_file=certificates.ca)
        assert_refused(sink, caplog, *words)


def test_tls_trusts_no_other_authority(tmp_path, open_sink, caplog):
    caplog.set_level(logging.INFO)
    certificates = make_certificates(tmp_path / "tls", "broker")
    stranger = make_certificates(tmp_path / "stranger", "stranger")
    with Broker(tmp_path, certificates=certificates) as broker:
        sink = open_sink(broker.url, ca_file=stranger.ca)
        assert_refused(sink, caplog, "certificate", "check mqtt.ca_file")


def test_a_broker_that_takes_nothing_from_us_is_no_connection(tmp_path, open_sink, caplog):
    caplog.set_level(logging.INFO)
    with Broker(tmp_path, access="topic write fer-edge/hall/#\ntopic read #\n") as broker:
        sink = open_sink(broker.url, protocol="5")
        assert_refused(
            sink, caplog, f"it does not take {AVAILABILITY}: Not authorized", "access list"
        )


def test_a_broker_that_lets_us_read_nothing_is_said_once(open_sink, caplog):
    """Mosquitto 2.0 accepts every subscription, so the answers are written out here."""
    caplog.set_level(logging.WARNING)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        sink = open_sink(f"mqtt://127.0.0.1:{server.getsockname()[1]}", home_assistant=True)
        for _ in range(2):
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"\x20\x02\x00\x00")  # CONNACK
                peer.sendall(b"\x40\x02\x00\x01")  # PUBACK of `online`
                peer.sendall(b"\x90\x03\x00\x02\x80")  # SUBACK: failure
                wait_for(is_connected(sink))
                wait_for(lambda: log_lines(caplog))
            wait_for(lambda: not sink.connected)
    lines = [line for line in log_lines(caplog) if "does not let us receive" in line]
    assert len(lines) == 1
    assert "homeassistant/status; let everybody read there" in lines[0]


def test_two_devices_over_tls_with_passwords_and_rules_beside_a_subscriber_that_stalls(
    tmp_path, open_sink, camera
):
    certificates = make_certificates(tmp_path / "tls", "broker")
    users = {"kitchen": "one", "hall": "two", "home": "three"}
    rules = "pattern write fer-edge/%u/#\nuser home\ntopic read fer-edge/#\n"
    with Broker(tmp_path, users=users, certificates=certificates, access=rules) as broker:
        sinks = []
        for name in ("kitchen", "hall"):
            (tmp_path / name).write_text(users[name])
            sinks.append(
                open_sink(
                    broker.url,
                    username=name,
                    password_file=tmp_path / name,
                    ca_file=certificates.ca,
                    client_id=name,
                    prefix=f"fer-edge/{name}",
                )
            )
        with (
            Recorder(broker, ca=certificates.ca, username="home", password="three") as stalled,
            Recorder(broker, ca=certificates.ca, username="home", password="three") as recorder,
        ):
            stalled.stall()

            def each_has_told(topic):
                return all(
                    len(recorder.on(f"fer-edge/{name}/{topic}")) > 20
                    for name in users
                    if name != "home"
                )

            def step():
                for sink in sinks:
                    sink.put(camera.see(20))
                time.sleep(0.02)
                return each_has_told("faces")

            wait_for(step, 30)
            ages = [m.at - m.captured_at for m in recorder.messages if m.topic.endswith("faces")]
            assert max(ages) < 2
            assert all(sink.connected for sink in sinks)
            stalled.go_on()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_of_two_devices_of_one_name_the_later_gives_way(
    tmp_path, open_sink, camera, caplog, protocol
):
    caplog.set_level(logging.WARNING)
    retry = RetryConfig(initial_s=0.05, max_s=1.0)
    with Broker(tmp_path) as broker, Recorder(broker) as recorder:
        first = open_sink(broker.url, retry=retry, protocol=protocol)
        wait_for(is_connected(first))
        time.sleep(1.5 * retry.max_s)
        second = open_sink(broker.url, retry=retry, protocol=protocol)
        wait_for(lambda: "gave way" in caplog.text, 30)
        wait_for(is_connected(first))
        (line,) = [line for line in log_lines(caplog) if "gave way" in line]
        assert "another client calls itself fer-edge-kitchen too" in line
        assert not second.connected
        feed(first, camera, lambda: recorder.on(STATE))
        told = len(recorder.on(AVAILABILITY))
        time.sleep(1.5 * retry.max_s)
        assert len(recorder.on(AVAILABILITY)) == told, "they take turns"
        assert recorder.payloads(AVAILABILITY)[-1] == b"online"
        first.close()
        second.close()


def test_an_own_connection_that_hangs_is_taken_over_without_ado(tmp_path, open_sink, caplog):
    """As after a power cut: the broker still has the old connection of the same name."""
    caplog.set_level(logging.WARNING)
    with Broker(tmp_path) as broker, Recorder(broker, client_id="fer-edge-kitchen") as old:
        sink = open_sink(broker.url)
        wait_for(is_connected(sink))
        old.close()
        time.sleep(0.5)
        assert sink.connected
        assert log_lines(caplog) == []
