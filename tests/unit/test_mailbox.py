import time

import pytest

from fer_edge.mailbox import Closed, Mailbox
from fer_edge.worker import Worker, stop_all


def test_newest_wins_and_drops_are_counted():
    box = Mailbox(1)
    for item in range(5):
        box.put(item)
    assert box.get(0) == 4
    assert box.dropped == 4


def test_order_within_its_size():
    box = Mailbox(3)
    for item in range(5):
        box.put(item)
    assert [box.get(0), box.get(0), box.get(0)] == [2, 3, 4]


def test_empty_gives_none_after_the_timeout():
    assert Mailbox().get(0.01) is None


def test_closing_lets_the_rest_be_taken():
    box = Mailbox(2)
    box.put(1)
    box.close()
    box.put(2)
    assert box.get() == 1
    with pytest.raises(Closed):
        box.get()


def test_discard_empties_it():
    box = Mailbox(2)
    box.put(1)
    box.close(discard=True)
    with pytest.raises(Closed):
        box.get()


def test_a_waiting_reader_wakes():
    box = Mailbox()
    taken = []
    reader = Worker("reader", lambda worker: taken.append(box.get(5)))
    reader.start()
    box.put("item")
    assert reader.join(5)
    assert taken == ["item"]


def test_a_waiting_reader_wakes_when_it_is_closed():
    box = Mailbox()
    reader = Worker("reader", lambda worker: box.get())
    reader.start()
    box.close()
    assert reader.join(5)
    assert isinstance(reader.error, Closed)


def test_an_error_in_a_worker_is_kept_and_announced():
    ended = Mailbox(1)
    worker = Worker("breaks", lambda worker: 1 / 0, ended)
    worker.start()
    assert ended.get(5) is worker
    assert isinstance(worker.error, ZeroDivisionError)


def test_stop_all_names_the_one_that_hangs():
    def waits(worker):
        while not worker.pause(1):
            pass

    def hangs(worker):
        time.sleep(2)

    workers = [Worker("waits", waits), Worker("hangs", hangs)]
    for worker in workers:
        worker.start()
    assert [worker.name for worker in stop_all(workers, 0.3)] == ["hangs"]


def test_busy_time_counts_only_within_a_step():
    worker = Worker("any", lambda worker: None)
    assert worker.busy_s() == 0
    worker.busy()
    time.sleep(0.02)
    assert worker.busy_s() >= 0.02
    worker.free()
    assert worker.busy_s() == 0
