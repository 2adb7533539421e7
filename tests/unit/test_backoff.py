import random

from fer_edge.backoff import Backoff


def test_ceiling_doubles_up_to_the_maximum():
    backoff = Backoff(0.5, 10.0, random=lambda: 1.0)
    assert [backoff.next() for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_waits_are_spread_evenly_below_the_ceiling():
    waits = [Backoff(1.0, 8.0, random=random.Random(seed).random).next() for seed in range(1000)]
    assert 0 <= min(waits) < 0.05
    assert 0.95 < max(waits) <= 1.0
    assert 0.45 < sum(waits) / len(waits) < 0.55


def test_success_begins_anew():
    backoff = Backoff(0.5, 10.0, random=lambda: 1.0)
    for _ in range(5):
        backoff.next()
    backoff.reset()
    assert backoff.next() == 0.5


def test_an_outage_of_years_overflows_nothing():
    backoff = Backoff(0.5, 10.0, random=lambda: 1.0)
    assert max(backoff.next() for _ in range(100_000)) == 10.0


def test_first_wait_obeys_the_maximum_too():
    assert Backoff(5.0, 1.0, random=lambda: 1.0).next() == 1.0
