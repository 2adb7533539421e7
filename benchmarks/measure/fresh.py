"""`benchmarks/fresh`: how old `faces` messages are when a subscriber gets them.

The daemon with the demo, a real mosquitto, and between them a link that can be held or slowed down;
each condition has its own. All of it on this machine, so there is one clock.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# Broker, subscriber and link are those of the tests.
sys.path.insert(0, str(REPOSITORY / "tests" / "integration"))

from broker import Broker, Received, Recorder, wait_for  # noqa: E402
from proxy import Proxy  # noqa: E402

PREFIX = "fer-edge/bench"
OLD_S = 2.0
BEFORE_S = 3.0
AFTER_S = 6.0
START_S = 60.0
ALLOWED = 2
"""Old messages after which a condition still counts as met."""


@dataclass(frozen=True)
class Condition:
    """What is done to the broker or to the link, and undone again after some time."""

    name: str
    seconds: float
    begin: Callable[[Broker, Proxy], None]
    end: Callable[[Broker, Proxy], None]


def _stop(seconds: float) -> Condition:
    return Condition(
        f"broker stopped for {seconds:g} s",
        seconds,
        lambda broker, _: broker.freeze(),
        lambda broker, _: broker.thaw(),
    )


CONDITIONS = [
    Condition("undisturbed", 10, lambda *_: None, lambda *_: None),
    *map(_stop, (5, 20, 40)),
    Condition("link gone for 20 s", 20, lambda _, link: link.hold(), lambda _, link: link.go_on()),
    Condition(
        "link of 1 kB/s for 40 s",
        40,
        lambda _, link: link.limit(1000),
        lambda _, link: link.limit(None),
    ),
]


@dataclass(frozen=True)
class Outcome:
    """What a subscriber saw from the begin of a condition until some seconds after its end."""

    messages: int
    old: int
    oldest_s: float
    fresh_after_s: float
    """From the end of the condition to the first message that was less than a second old."""
    dropped: int
    """As the daemon's last `diagnostics` says."""


def main() -> int:
    """Print the table; 1 if more old messages arrived than are allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--checkout",
        type=Path,
        default=REPOSITORY,
        help="the fer-edge to measure, e.g. an older one",
    )
    parser.add_argument("--protocol", choices=["3.1.1", "5"], default="3.1.1")
    options = parser.parse_args()
    print("| condition | messages | over 2 s old | oldest | fresh again after | dropped |")
    print("| --- | --- | --- | --- | --- | --- |")
    met = True
    for condition in CONDITIONS:
        outcome = measure(condition, options.checkout.resolve(), options.protocol)
        met = met and outcome.old <= ALLOWED
        print(
            f"| {condition.name} | {outcome.messages} | {outcome.old} | {outcome.oldest_s:.1f} s "
            f"| {outcome.fresh_after_s:.1f} s | {outcome.dropped} |",
            flush=True,
        )
    return 0 if met else 1


def measure(condition: Condition, checkout: Path, protocol: str) -> Outcome:
    """Start everything, do it, undo it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Broker(Path(folder)) as broker,
        Proxy(broker.port) as link,
        Recorder(broker) as recorder,
        running(checkout, link.url, protocol),
    ):
        wait_for(lambda: recorder.on(f"{PREFIX}/faces"), START_S)
        time.sleep(BEFORE_S)
        begun = time.time()
        condition.begin(broker, link)
        time.sleep(condition.seconds)
        condition.end(broker, link)
        ended = time.time()
        wait_for(lambda: first_fresh(recorder.on(f"{PREFIX}/faces"), ended), START_S)
        time.sleep(AFTER_S)
        messages = [m for m in recorder.on(f"{PREFIX}/faces") if m.at > begun]
        ages = [m.at - m.captured_at for m in messages]
        return Outcome(
            len(messages),
            sum(age > OLD_S for age in ages),
            max(ages),
            first_fresh(messages, ended) - ended,
            recorder.on(f"{PREFIX}/diagnostics")[-1].json["mqtt"]["dropped"],
        )


def first_fresh(messages: Sequence[Received], after: float) -> float:
    """When the first message came after `after` that was less than a second old; 0 if none did."""
    return next((m.at for m in messages if m.at > after and m.at - m.captured_at < 1), 0.0)


@contextlib.contextmanager
def running(checkout: Path, url: str, protocol: str) -> Iterator[None]:
    """The daemon of a checkout, whatever is configured on this machine."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith("FER_EDGE_")}
    settings = {"device": "bench", "mqtt.protocol": protocol, "mqtt.diagnostics_s": "2"}
    command = [sys.executable, "-m", "fer_edge", "run", "--source", "demo", "--mqtt", url]
    command += ["--output", "none"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    process = subprocess.Popen(
        command,
        cwd=checkout,
        env=mine | {"PYTHONPATH": str(checkout)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)
