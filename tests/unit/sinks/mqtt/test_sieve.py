import random
import socket
import threading
import time

import psutil
import pytest

from fer_edge.sinks.mqtt.sieve import PUBLISH, Sieve

LIMIT = 100


@pytest.fixture
def pair():
    broker, ours = socket.socketpair()
    with broker, ours:
        ours.setblocking(False)
        yield broker, Sieve(ours, LIMIT, clock_ns=time.monotonic_ns)


def packet(kind, size, fill=b"x"):
    length, left = bytearray(), size
    while True:
        length.append(left % 128 | (0x80 if left >= 128 else 0))
        left //= 128
        if not left:
            return bytes([kind]) + bytes(length) + fill * size


def read(sieve, count):
    """So many bytes, in small pieces as the client library asks for them."""
    data = b""
    deadline = time.monotonic() + 10
    while len(data) < count:
        assert time.monotonic() < deadline, data
        try:
            data += sieve.recv(random.Random(len(data)).choice([1, 2, 50]))
        except BlockingIOError:
            time.sleep(0.001)
    return data


def test_small_packets_pass_and_large_messages_do_not(pair):
    broker, sieve = pair
    good = [packet(PUBLISH, 0), packet(0x90, 3), packet(PUBLISH | 2, LIMIT), packet(0xD0, 0)]
    large = [packet(PUBLISH, LIMIT + 1), packet(PUBLISH | 1, 70_000)]
    stream = good[0] + large[0] + good[1] + good[2] + large[1] + good[3]
    sender = threading.Thread(target=broker.sendall, args=[stream])
    sender.start()
    assert read(sieve, sum(map(len, good))) == b"".join(good)
    sender.join()
    with pytest.raises(BlockingIOError):
        sieve.recv(1)


def test_bytes_that_come_one_by_one(pair):
    broker, sieve = pair
    stream = packet(PUBLISH, LIMIT + 50) + packet(PUBLISH, 5)
    got = b""
    for byte in stream:
        broker.sendall(bytes([byte]))
        try:
            got += sieve.recv(10)
        except BlockingIOError:
            continue
    got += read(sieve, 7 - len(got))
    assert got == packet(PUBLISH, 5)


def test_a_message_of_200_mb_costs_no_memory(pair):
    broker, sieve = pair

    def send():
        broker.sendall(bytes([PUBLISH, 0x80, 0x80, 0x80, 0x64]))  # 100 * 128**3 bytes
        for _ in range(200):
            broker.sendall(bytes(2**20))
        broker.sendall(bytes(100 * 128**3 - 200 * 2**20))
        broker.sendall(packet(0xD0, 0))

    sender = threading.Thread(target=send)
    before = psutil.Process().memory_info().rss
    sender.start()
    assert read(sieve, 2) == packet(0xD0, 0)
    assert psutil.Process().memory_info().rss - before < 20e6
    sender.join()


def test_another_large_packet_is_an_error(pair):
    broker, sieve = pair
    broker.sendall(packet(0x90, LIMIT + 1))
    with pytest.raises(ConnectionError, match="a packet of 101 bytes"):
        sieve.recv(1)


def test_what_is_no_mqtt_is_passed_on_for_the_library_to_refuse(pair):
    broker, sieve = pair
    broker.sendall(b"\xff" * 64)
    assert read(sieve, 6) == b"\xff" * 6


def test_the_end_is_passed_on_and_the_last_sign_of_life_is_known(pair):
    broker, sieve = pair
    begun_ns = sieve.heard_ns
    broker.sendall(packet(0xD0, 0))
    sieve.recv(1)
    assert sieve.pending() == 1
    sieve.recv(1)
    heard_ns = sieve.heard_ns
    assert heard_ns > begun_ns
    broker.close()
    assert sieve.recv(1) == b""
    assert sieve.heard_ns == heard_ns
