import logging
import ssl

import pytest

from fer_edge.config import MqttConfig, RetryConfig
from fer_edge.sinks.mqtt.broker import find_broker
from fer_edge.sinks.mqtt.retries import (
    GIVE_WAY_S,
    SHORT_CONNECTIONS,
    Outcome,
    Retries,
    explain_error,
    explain_refusal,
)

RETRY = RetryConfig(initial_s=1, max_s=60)


@pytest.fixture
def broker():
    return find_broker(MqttConfig(url="mqtt://broker.local"), "kitchen")


@pytest.fixture
def retries(broker, clock):
    return Retries(broker, RETRY, random=lambda: 1.0, clock_ns=clock)


def lost_after(seconds, clock, *, closed=True, **values):
    begun = clock()
    clock.tick(seconds)
    return Outcome(accepted_ns=begun, reason="connection closed", closed=closed, **values)


def test_waits_grow_while_the_broker_does_not_answer(retries):
    assert [retries.next_wait_s(Outcome()) for _ in range(4)] == [1, 2, 4, 8]


def test_the_same_condition_is_logged_once(retries, caplog):
    for _ in range(3):
        retries.next_wait_s(Outcome(reason="no route to host"))
    retries.next_wait_s(Outcome())
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "no route to host; trying again until it works" in caplog.messages[0]


def test_a_refusal_is_an_error_and_waits_longest(retries, caplog):
    assert retries.next_wait_s(Outcome(refusal=explain_refusal("Not authorized"))) == RETRY.max_s
    assert caplog.records[0].levelno == logging.ERROR
    assert "Not authorized; check mqtt.username and mqtt.password_file; trying" in caplog.text


def test_every_refusal_comes_with_advice():
    assert "mqtt.client_id" in explain_refusal("Client identifier not valid")
    assert explain_refusal("Server busy") == "Server busy; its log may say more"


@pytest.mark.parametrize(
    ("code", "advice"),
    [(10, "renew"), (9, "clock"), (62, "mqtt.url"), (64, "mqtt.url"), (20, "ca_file")],
)
def test_what_is_wrong_with_a_certificate_decides_the_advice(code, advice):
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "it is bad"
    assert explain_error(error).startswith("it is bad; ")
    assert advice in explain_error(error)


def test_only_a_long_connection_makes_the_next_wait_a_first_one(retries, clock):
    retries.next_wait_s(Outcome())
    assert retries.next_wait_s(lost_after(RETRY.max_s, clock)) == 2
    assert retries.next_wait_s(lost_after(RETRY.max_s + 1, clock)) == 1


def test_after_several_short_connections_a_device_gives_way_to_another_of_its_name(
    retries, broker, clock, caplog
):
    for _ in range(SHORT_CONNECTIONS - 1):
        assert retries.next_wait_s(lost_after(1, clock)) < GIVE_WAY_S[0]
    assert "gave way" not in caplog.text
    waits = []
    for _ in range(8):
        waits.append(retries.next_wait_s(lost_after(1, clock)))
        retries.connected()
    assert waits[0] == GIVE_WAY_S[0]
    assert waits == sorted(waits)
    assert waits[-1] == GIVE_WAY_S[1]
    (line,) = [message for message in caplog.messages if "gave way" in message]
    assert f"as if another client calls itself {broker.client_id} too" in line
    assert "give each device a name of its own (`device`" in line


def test_a_broker_that_names_the_other_is_believed(retries, broker, clock, caplog):
    for _ in range(SHORT_CONNECTIONS):
        retries.next_wait_s(lost_after(1, clock, taken_over=True))
    assert f": another client calls itself {broker.client_id} too; give" in caplog.text


def test_the_other_device_has_gone(retries, clock, caplog):
    caplog.set_level(logging.INFO, "fer_edge")
    for _ in range(SHORT_CONNECTIONS + 1):
        retries.next_wait_s(lost_after(1, clock))
    caplog.clear()
    retries.connected()
    accepted_ns = clock()
    for _ in range(2 * int(RETRY.max_s)):
        clock.tick(1)
        retries.still_connected(accepted_ns)
    assert [message[:15] for message in caplog.messages] == ["mqtt: connected"]
    assert retries.next_wait_s(lost_after(1, clock)) == RETRY.initial_s


def test_a_broker_that_comes_and_goes_is_no_other_device(retries, clock, caplog):
    for _ in range(3 * SHORT_CONNECTIONS):
        retries.next_wait_s(lost_after(1, clock))
        retries.next_wait_s(Outcome(reason="Connection refused"))
    assert "gave way" not in caplog.text


def test_another_device_may_come_before_the_broker_has_accepted(retries, clock, caplog):
    for _ in range(SHORT_CONNECTIONS):
        retries.next_wait_s(lost_after(1, clock))
        retries.next_wait_s(Outcome(reason="connection closed", closed=True))
    assert "gave way" in caplog.text


def test_a_connection_that_we_gave_up_is_no_other_device(retries, clock, caplog):
    for _ in range(3 * SHORT_CONNECTIONS):
        retries.next_wait_s(lost_after(20, clock, closed=False))
    assert "gave way" not in caplog.text


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
