import sys
import threading

import pytest

from fer_edge.stats import NS_PER_MS, NS_PER_S, Counter, LatencyMeter, RateMeter


class Clock:
    now_ns = 0

    def __call__(self):
        return self.now_ns

    def tick(self, seconds):
        self.now_ns += round(seconds * NS_PER_S)


@pytest.fixture
def often_switching():
    """Let threads take turns as often as they can, so that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_rate_is_right_from_the_second_event_on():
    clock = Clock()
    meter = RateMeter(5.0, clock_ns=clock)
    assert meter.rate_hz() == 0.0
    meter.add()
    assert meter.rate_hz() == 0.0
    for _ in range(1000):
        clock.tick(0.1)
        meter.add()
        assert meter.rate_hz() == pytest.approx(10.0)
    assert meter.count == 1001


def test_rate_falls_to_zero_when_nothing_comes():
    clock = Clock()
    meter = RateMeter(5.0, clock_ns=clock)
    for _ in range(100):
        clock.tick(0.1)
        meter.add()
    clock.tick(2.5)
    assert meter.rate_hz() == pytest.approx(5.0)
    clock.tick(2.5)
    assert meter.rate_hz() == 0.0
    assert meter.count == 100


def test_latency_percentiles_in_milliseconds():
    meter = LatencyMeter()
    for ms in range(1, 102):
        meter.add(ms * NS_PER_MS)
    assert meter.summary_ms() == {"p50": 51.0, "p95": 96.0, "mean": 51.0}


def test_latency_without_a_duration_is_unknown():
    assert LatencyMeter().summary_ms() is None


def test_latency_forgets_the_oldest():
    meter = LatencyMeter(size=3)
    for ms in (1000, 1, 2, 3):
        meter.add(ms * NS_PER_MS)
    assert meter.summary_ms() == {"p50": 2.0, "p95": 2.9, "mean": 2.0}


@pytest.mark.usefixtures("often_switching")
def test_counter_loses_nothing_between_threads():
    counter = Counter()
    threads = [
        threading.Thread(target=lambda: [counter.add() for _ in range(5000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counter.add(5)
    assert counter.count == 20_005


@pytest.mark.usefixtures("often_switching")
def test_latency_may_be_read_while_it_is_written():
    meter = LatencyMeter(size=200)
    meter.add(1)
    done = threading.Event()

    def write():
        while not done.is_set():
            meter.add(1)

    thread = threading.Thread(target=write)
    thread.start()
    summaries = [meter.summary_ms() for _ in range(300)]
    done.set()
    thread.join()
    assert all(summaries)
