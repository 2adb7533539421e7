import logging

import pytest

from fer_edge.config import MqttConfig, RetryConfig
from fer_edge.sinks.mqtt.broker import find_broker
from fer_edge.sinks.mqtt.retries import SHORT_CONNECTIONS, Outcome, Retries

RETRY = RetryConfig(initial_s=1, max_s=60)


@pytest.fixture
def broker():
    return find_broker(MqttConfig(url="mqtt://broker.local"), "kitchen")


@pytest.fixture
def retries(broker, clock):
    return Retries(broker, RETRY, random=lambda: 1.0, clock_ns=clock)


def lost_after(seconds, clock):
    begun = clock()
    clock.tick(seconds)
    return Outcome(accepted_ns=begun, reason="connection closed")


def test_waits_grow_while_the_broker_does_not_answer(retries):
    assert [retries.next_wait_s(Outcome()) for _ in range(4)] == [1, 2, 4, 8]


def test_the_same_condition_is_logged_once(retries, caplog):
    for _ in range(3):
        retries.next_wait_s(Outcome(reason="no route to host"))
    retries.next_wait_s(Outcome())
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "no route to host; trying again until it works" in caplog.messages[0]


def test_a_refusal_is_an_error_and_waits_longest(retries, caplog):
    assert retries.next_wait_s(Outcome(refusal="Not authorized")) == RETRY.max_s
    assert caplog.records[0].levelno == logging.ERROR
    assert "Not authorized; check mqtt.username" in caplog.text


def test_only_a_long_connection_makes_the_next_wait_a_first_one(retries, clock):
    retries.next_wait_s(Outcome())
    assert retries.next_wait_s(lost_after(RETRY.max_s, clock)) == 2
    assert retries.next_wait_s(lost_after(RETRY.max_s + 1, clock)) == 1


def test_after_several_short_connections_another_device_of_the_same_name_is_suspected(
    retries, broker, clock, caplog
):
    question = f"does another client call itself {broker.client_id}?"
    for number in range(SHORT_CONNECTIONS):
        assert question not in caplog.text, number
        retries.next_wait_s(lost_after(1, clock))
    assert question in caplog.text
    caplog.clear()
    retries.next_wait_s(lost_after(RETRY.max_s + 1, clock))
    assert question not in caplog.text


def test_a_connection_is_logged_again_after_it_was_lost(retries, clock, caplog):
    caplog.set_level(logging.INFO, "fer_edge")
    retries.connected()
    retries.next_wait_s(lost_after(1, clock))
    retries.connected()
    assert [message.partition(" ")[2][:9] for message in caplog.messages] == [
        "connected",
        "lost the ",
        "connected",
    ]
