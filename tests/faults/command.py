"""`tests/run faults`: puts every fault to the real daemon, and prints what came of it."""

import argparse
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from fault import Fault, NotHere, Unhealed, all_faults
from rig import WATCHDOG_S, Rig, Snapshot

HEAL_S = 60.0
SETTLE_S = 20.0
"""How long threads and descriptors may take to be as many as before."""
MORE_MB = 6.0
"""If resident memory is larger by more, the fault is injected again, until that adds less than `SETTLED_MB`."""
SETTLED_MB = 2.0
REPEATS = 3
LOG_LINES = 20

HEAD = [
    "| fault | lost | faces again after | RSS, MB | threads | descriptors | log lines | healed |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
]
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"


@dataclass(frozen=True)
class Outcome:
    """A row of the table."""

    fault: Fault
    text: str
    healed: bool


def main() -> int:
    """1 if a fault did not heal."""
    parser = argparse.ArgumentParser(prog="tests/run faults", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="faults whose name holds this")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/faults.md")
    options = parser.parse_args()
    chosen = [one for one in all_faults() if (options.only or "") in f"{one.room}: {one.name}"]
    if not chosen:
        parser.error("no such fault")
    # Started with nohup, the daemon would not hear SIGHUP.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    say(*HEAD)
    outcomes = []
    for fault in chosen:
        outcomes.append(measure(fault))
        say(outcomes[-1].text)
    if options.write:
        write([outcome.text for outcome in outcomes])
    return 0 if all(outcome.healed for outcome in outcomes) else 1


def say(*lines: str) -> None:
    """Lines on standard output, at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def measure(fault: Fault) -> Outcome:
    """Start everything, inject the fault, and see whether it heals."""
    name = f"{fault.room}: {fault.name}"
    try:
        with Rig(fault.setup) as rig:
            return _measure(fault, name, rig)
    except NotHere as reason:
        return Outcome(fault, f"| {name} | | | | | | | not run here: {reason} |", healed=True)
    except (Unhealed, AssertionError, subprocess.TimeoutExpired) as reason:
        return Outcome(fault, f"| {name} | | | | | | | **no**: {reason} |", healed=False)


def _measure(fault: Fault, name: str, rig: Rig) -> Outcome:
    before, daemon = rig.snapshot(), rig.daemon
    begun = time.monotonic()
    seen = fault.inject(rig)
    seconds = heal(rig, time.time())
    settle(rig, before)
    after = rig.snapshot()
    memory = f"{before.rss_mb:.0f} → {after.rss_mb:.0f}"
    while after.rss_mb > before.rss_mb + MORE_MB:
        earlier_mb, after = after.rss_mb, again(rig, fault, before)
        memory += f" → {after.rss_mb:.0f}"
        if after.rss_mb <= earlier_mb + SETTLED_MB:
            break
        if memory.count("→") > REPEATS:
            raise Unhealed(f"RSS grows each time: {memory} MB")
    lines = after.log_lines - (before.log_lines if rig.daemon is daemon else 0)
    wrong = faults_of(rig, before, after, begun, lines)
    lost = ", ".join(part for part in (losses(before, after), seen) if part)
    cells = [
        name,
        lost or "nothing",
        f"{seconds:.1f} s",
        memory,
        f"{before.threads} → {after.threads}",
        f"{before.descriptors} → {after.descriptors}",
        str(lines),
        f"**no**: {'; '.join(wrong)}" if wrong else "yes",
    ]
    return Outcome(fault, f"| {' | '.join(cells)} |", healed=not wrong)


def again(rig: Rig, fault: Fault, before: Snapshot) -> Snapshot:
    """The same fault once more: what is needed once is kept, what leaks grows again."""
    fault.inject(rig)
    heal(rig, time.time())
    settle(rig, before)
    return rig.snapshot()


def heal(rig: Rig, ended: float) -> float:
    """Seconds from the fault's end until a new face is published and all is said to be well."""
    rig.wait_for(lambda: rig.faces_since(ended), HEAL_S, f"no face within {HEAL_S:.0f} s")
    seconds = rig.faces_since(ended)[0]
    rig.wait_for(lambda: rig.watcher.text("availability") == "online", 5, "not online")
    rig.wait_for(lambda: rig.watcher.json("camera").get("available"), 5, "no camera, it says")
    return seconds


def settle(rig: Rig, before: Snapshot) -> None:
    """Wait until threads and descriptors are as many as before, and for newer diagnostics."""
    deadline = time.monotonic() + SETTLE_S
    time.sleep(4)
    while time.monotonic() < deadline:
        now = rig.snapshot()
        if now.threads <= before.threads and now.descriptors <= before.descriptors:
            return
        time.sleep(0.5)


def losses(before: Snapshot, after: Snapshot) -> str:
    """What the daemon counted in between; a new process has counted from nothing."""
    parts = []
    for name, value in after.counters.items():
        more = value - before.counters.get(name, 0)
        more = more if more >= 0 else value
        if more:
            parts.append(f"{name.replace('_', ' ')} {more}")
    return ", ".join(parts)


def faults_of(rig: Rig, before: Snapshot, after: Snapshot, begun: float, lines: int) -> list[str]:
    """Everything that is worse than before."""
    pings = [begun, *(ping for ping in list(rig.pings) if ping > begun), time.monotonic()]
    longest_s = max(later - earlier for earlier, later in pairwise(pings))
    checks = {
        "more threads": after.threads > before.threads,
        "more descriptors": after.descriptors > before.descriptors,
        "too many log lines": lines > LOG_LINES,
        "a traceback": any("Traceback" in line for line in rig.daemon.errors),
        f"systemd heard nothing for {longest_s:.0f} s": longest_s > WATCHDOG_S,
    }
    return [name for name, wrong in checks.items() if wrong] + rig.watcher.wrong[:1]


def write(rows: list[str]) -> None:
    """Replace rows of the table in docs/faults.md; those of faults that did not run now stay."""
    text = DOCUMENT.read_text("utf-8")
    before, rest = text.split(f"{BEGIN}\n")
    table, after = rest.split(END)
    known = {name_in(row): row for row in [*table.splitlines()[2:], *rows]}
    names = [f"{one.room}: {one.name}" for one in all_faults()]
    lines = [*HEAD, *(known[name] for name in names if name in known)]
    DOCUMENT.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", "utf-8")


def name_in(row: str) -> str:
    """The fault of a row."""
    return row.split("|")[1].strip()


if __name__ == "__main__":
    sys.exit(main())
