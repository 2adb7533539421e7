"""What the machine does: full disks, no processor time, clocks that are set."""

import contextlib
import json
import time

from fault import Unhealed, fault
from machine import share_of_processor
from rig import Rig


@fault("machine", "disk of [jsonl] full for 12 s", disk=True)
def disk(rig: Rig) -> str:
    file, ballast = rig.disk / "faces.jsonl", rig.disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as out:
        while True:
            out.write(bytes(4096))
    rig.hold(12)
    full = file.stat().st_size
    ballast.unlink()
    rig.wait_for(lambda: file.stat().st_size > full, 30, "no line after there was room")
    for line in file.read_bytes().splitlines():
        json.loads(line)
    return "only whole lines in the file"


@fault("machine", "a quarter of one core for 20 s")
def quota(rig: Rig) -> str:
    begun = time.time()
    with share_of_processor(rig.daemon.process.pid, 25):
        rig.hold(20)
    during = [one for one in rig.watcher.faces if one.at > begun + 3]
    if not during:
        raise Unhealed("no faces at all during the fault")
    latency_ms = sorted(one.latency_ms for one in during)[len(during) // 2]
    rate = rig.watcher.json("diagnostics")["frame_rate_out"]
    return f"{rate:.0f} results a second, median latency {latency_ms:.0f} ms"


@fault("machine", "clock set forward by an hour, 10 s", clock=True)
def forward(rig: Rig) -> None:
    _step(rig, 3600)


@fault("machine", "clock set back by an hour, 10 s", clock=True)
def back(rig: Rig) -> None:
    _step(rig, -3600)


def _step(rig: Rig, seconds: int) -> None:
    """And back again, which is the opposite step."""
    begun = time.time()
    rig.clock.set(seconds)
    rig.hold(10)
    stepped = [m for m in rig.watcher.faces if abs(m.captured_at - m.at - seconds) < 60]
    count = len([one for one in stepped if one.at > begun])
    if count < 20:
        raise Unhealed(f"only {count} messages with the new time")
    rig.clock.set(0)
