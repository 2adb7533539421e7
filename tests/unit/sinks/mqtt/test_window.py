import pytest

from fer_edge.sinks.mqtt.window import PER_TOPIC, QUICK_S, SILENCE_S, SLOWEST_BYTES_PER_S, Window


@pytest.fixture
def window(clock):
    return Window(first_answer_ns=0, clock_ns=clock)


def test_two_messages_of_a_topic_are_under_way_at_most(window):
    assert [window.take("faces", 10) for _ in range(4)] == [True] * PER_TOPIC + [False] * 2
    assert window.take("state", 10), "one topic does not wait for another"
    window.acknowledge()
    assert window.take("faces", 10)


def test_while_an_answer_is_late_nothing_more_is_sent(window, clock):
    window.take("faces", 10)
    clock.tick(QUICK_S * 1.1)
    assert not window.take("faces", 10)
    assert not window.take("state", 10)


def test_after_a_late_answer_one_message_is_under_way_at_a_time(window, clock):
    window.take("faces", 10)
    clock.tick(QUICK_S * 1.1)
    window.acknowledge()
    assert window.take("faces", 10)
    assert not window.take("state", 10)
    clock.tick(QUICK_S / 2)
    window.acknowledge()
    assert window.take("faces", 10)
    assert window.take("state", 10)


def test_a_first_answer_that_was_late_counts(clock):
    window = Window(first_answer_ns=10**9, clock_ns=clock)
    assert window.take("faces", 10)
    assert not window.take("faces", 10)


def test_the_longest_wait_is_told_once(window, clock):
    assert window.peak_ms() == 0
    window.take("faces", 10)
    clock.tick(2)
    assert window.peak_ms() == 2000
    window.acknowledge()
    assert window.peak_ms() == 2000
    assert window.peak_ms() == 0


def test_a_broker_without_a_sign_of_life_is_overdue(window, clock):
    heard_ns = clock()
    clock.tick(100)
    assert not window.overdue(heard_ns), "it was asked nothing"
    window.take("faces", SLOWEST_BYTES_PER_S)
    clock.tick(SILENCE_S)
    assert not window.overdue(heard_ns), "a slow link is no dead one"
    clock.tick(1.1)
    assert window.overdue(heard_ns)
    assert not window.overdue(clock()), "something has just come"


def test_an_answer_that_nobody_asked_for_is_none(window):
    window.acknowledge()
    assert window.peak_ms() == 0
