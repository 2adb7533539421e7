"""`fer_edge.client` at a real broker, with what the real daemon makes."""

import asyncio
import json
import logging
import threading

import pytest
from broker import Broker, Recorder, make_certificates, wait_for
from daemon import running

from fer_edge.client import BrokerRefusedError, subscribe


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as one:
        yield one


def payload(device="kitchen", seq=0):
    return json.dumps(
        {
            "schema": "fer-edge/faces/2",
            "device": device,
            "seq": seq,
            "captured_at": "2026-01-01T12:00:00.000Z",
            "latency_ms": 1.0,
            "frame": {"width": 640, "height": 480},
            "faces": [],
        }
    )


def say(recorder, device="kitchen", seq=0):
    recorder.say(f"fer-edge/{device}/faces", payload(device, seq))


def ready(recorder, subscription, device="kitchen"):
    """Back when the subscription hears the broker."""

    def heard():
        recorder.say(f"fer-edge/{device}/availability", "online")
        return subscription.online.get(device)

    wait_for(heard)


def test_a_loop_reads_what_the_daemon_sends(broker):
    options = ("--source", "demo", "--mqtt", broker.url, "--output", "none")
    with running(*options, "--set", "device=kitchen"):
        subscription = subscribe(broker.url, device="kitchen")
        for message in subscription:
            if message.largest is not None and message.largest.emotion == "happy":
                break
        assert message.device == "kitchen"
        assert message.largest.probabilities["happy"] > 0.5
        assert subscription.online == {"kitchen": True}
        wait_for(lambda: not subscription.connected)


def test_a_slow_reader_gets_the_newest(broker):
    with Recorder(broker) as recorder, subscribe(broker.url) as subscription:
        ready(recorder, subscription)
        for seq in range(20):
            say(recorder, seq=seq)
        ready(recorder, subscription, "last")
        assert subscription.get(10).seq == 19
        assert subscription.dropped == 19
        assert subscription.get(0.01) is None


def test_it_hears_one_device_and_skips_what_is_no_message(broker, caplog):
    with Recorder(broker) as recorder, subscribe(broker.url, device="hall", keep=9) as subscription:
        ready(recorder, subscription, "hall")
        for junk in ("{", "[]", '{"schema": "fer-edge/state/1"}', "x" * 1_000_001):
            recorder.say("fer-edge/hall/faces", junk)
        say(recorder, "kitchen", 1)
        recorder.say("fer-edge/hall/faces", payload("kitchen", 2))
        say(recorder, "hall", 3)
        assert subscription.get(10).seq == 3
        assert subscription.invalid == 4
    assert len([r for r in caplog.records if "not a faces message" in r.message]) == 1


def test_a_device_may_have_topics_of_its_own(broker):
    with Recorder(broker) as recorder, subscribe(broker.url, prefix="house/cam") as subscription:

        def heard():
            recorder.say("house/cam/availability", "online")
            return subscription.online.get("cam")

        wait_for(heard)
        say(recorder, seq=1)
        recorder.say("house/cam/faces", payload(seq=2))
        assert subscription.get(10).seq == 2


def test_it_comes_back_when_the_broker_does(broker, caplog):
    caplog.set_level(logging.INFO, "fer_edge.client")
    with subscribe(broker.url) as subscription:
        with Recorder(broker) as recorder:
            ready(recorder, subscription)
        broker.kill()
        wait_for(lambda: not subscription.connected)
        broker.start()
        wait_for(lambda: subscription.connected, 40)
        with Recorder(broker) as recorder:
            ready(recorder, subscription, "again")
            say(recorder, seq=5)
            assert subscription.get(10).seq == 5
    assert any("lost the connection" in record.message for record in caplog.records)


def test_it_waits_for_a_broker_that_is_not_there_yet(broker, caplog):
    broker.kill()
    with subscribe(broker.url) as subscription:
        wait_for(lambda: any("cannot reach" in record.message for record in caplog.records))
        broker.start()
        wait_for(lambda: subscription.connected, 40)


def test_async_for(broker):
    async def read(recorder):
        subscription = subscribe(broker.url, keep=100)
        seen = []

        async def collect():
            async for message in subscription:
                seen.append(message.seq)
                if message.seq == 9:
                    return

        task = asyncio.create_task(collect())
        await asyncio.to_thread(ready, recorder, subscription)
        for seq in range(10):
            await asyncio.to_thread(say, recorder, seq=seq)
        await asyncio.wait_for(task, 30)
        return seen

    with Recorder(broker) as recorder:
        assert asyncio.run(read(recorder)) == list(range(10))


def test_a_function_is_called_and_may_fail_and_may_end_it(broker, caplog):
    seen, ended = [], threading.Event()

    def callback(message):
        seen.append(message.seq)
        if message.seq == 0:
            raise ValueError("mine")
        subscription.close()
        ended.set()

    subscription = subscribe(broker.url, keep=5).call(callback)
    with Recorder(broker) as recorder:
        ready(recorder, subscription)
        say(recorder, seq=0)
        say(recorder, seq=1)
        assert ended.wait(30)
    subscription.close()
    assert seen == [0, 1]
    assert any(record.exc_info and "mine" in str(record.exc_info[1]) for record in caplog.records)


def test_a_refused_login_ends_every_form_in_one_line(tmp_path, caplog):
    with Broker(tmp_path, users={"me": "right"}) as broker:
        login = {"username": "me", "password": "wrong"}
        with pytest.raises(BrokerRefusedError, match="refused the connection") as error:
            next(iter(subscribe(broker.url, **login)))
        assert "wrong" not in str(error.value)

        async def read():
            async for _ in subscribe(broker.url, **login):
                pass

        with pytest.raises(BrokerRefusedError):
            asyncio.run(asyncio.wait_for(read(), 30))
        called = subscribe(broker.url, **login).call(print)
        wait_for(lambda: any(r.levelname == "ERROR" for r in caplog.records))
        with pytest.raises(BrokerRefusedError):
            called.close()
        with subscribe(broker.url, username="me", password="right") as subscription:
            wait_for(lambda: subscription.connected)


def test_tls_is_checked(tmp_path):
    ours = make_certificates(tmp_path / "ours", "ours")
    other = make_certificates(tmp_path / "other", "other")
    folder = tmp_path / "broker"
    folder.mkdir()
    with Broker(folder, certificates=ours, client_certificates=True) as broker:
        client = {"cert_file": ours.cert, "key_file": ours.key}
        with subscribe(broker.url, ca_file=ours.ca, **client) as subscription:
            wait_for(lambda: subscription.connected)
        stranger = subscribe(broker.url, ca_file=other.ca, **client)
        with stranger, pytest.raises(BrokerRefusedError, match="check ca_file"):
            stranger.get(30)
