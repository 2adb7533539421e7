"""What brokers and networks do."""

import contextlib
import socket
import threading
import time

from fault import Unhealed, fault
from rig import DEVICE, PREFIX, Rig

BIRTHS = 5000
HOME = ("--set", "mqtt.home_assistant=true")


@fault("broker", "killed, back after 10 s", soak=True)
def killed(rig: Rig) -> None:
    rig.broker.kill()
    rig.hold(10)
    rig.broker.start()


@fault("broker", "stopped (SIGSTOP) for 20 s", soak=True)
def frozen(rig: Rig) -> str:
    begun = time.time()
    rig.broker.freeze()
    rig.hold(20)
    rig.broker.thaw()
    ended = time.time()
    rig.hold(2)
    old = [one for one in rig.watcher.faces if one.at > ended and one.captured_at < ended - 2]
    if len(old) > 2:
        raise Unhealed(f"{len(old)} old faces arrived after {ended - begun:.0f} s")
    return f"{len(old)} messages arrived over 2 s old"


@fault("broker", "another password for 10 s", soak=True)
def password(rig: Rig) -> None:
    rig.broker.kill()
    rig.broker.set_password(DEVICE, "changed")
    rig.broker.start()
    rig.hold(10)
    rig.broker.kill()
    rig.broker.set_password(DEVICE, "right")
    rig.broker.start()


@fault("broker", "takes connections and never answers, 15 s", soak=True)
def silent(rig: Rig) -> None:
    rig.broker.kill()
    with _deaf(rig.broker.port):
        rig.hold(15)
    rig.broker.start()


@contextlib.contextmanager
def _deaf(port: int):
    """Somebody who takes connections and never answers."""
    taken: list[socket.socket] = []
    server = socket.create_server(("127.0.0.1", port))

    def take() -> None:
        with contextlib.suppress(OSError):
            while True:
                taken.append(server.accept()[0])

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for sock in (server, *taken):
            sock.close()


@fault("broker", "link of 1 kB/s for 30 s", slow_link=True)
def slow(rig: Rig) -> str:
    begun = time.time()
    rig.link.limit(1000)
    rig.hold(30)
    rig.link.limit(None)
    ages = [one.at - one.captured_at for one in rig.watcher.faces if one.at > begun]
    old = sum(age > 2 for age in ages)
    if old > 2:
        raise Unhealed(f"{old} of {len(ages)} messages were over 2 s old")
    return f"{len(ages)} messages, the oldest {max(ages, default=0):.1f} s old"


@fault("broker", "20 retained commands of 1 MB", soak=True)
def large(rig: Rig) -> None:
    topic = f"{PREFIX}/set/recognition"
    for _ in range(20):
        rig.watcher.say(topic, b"x" * 1_000_000, retain=True)
    rig.hold(2)
    rig.watcher.say(topic, b"", retain=True)
    rig.watcher.last.pop(topic, None)


@fault("broker", f"{BIRTHS} birth messages of Home Assistant", arguments=HOME)
def births(rig: Rig) -> str:
    def announced() -> int:
        counts = rig.watcher.counts
        return sum(n for topic, n in counts.items() if topic.startswith("homeassistant/device"))

    before, begun = announced(), time.monotonic()
    for _ in range(BIRTHS):
        rig.watcher.say("homeassistant/status", "online", qos=0)
    rig.hold(11)
    count, seconds = announced() - before, time.monotonic() - begun
    if not 1 <= count <= 2 + seconds / 5:
        raise Unhealed(f"announced {count} times in {seconds:.0f} s")
    return f"announced {count} times in {seconds:.0f} s"
