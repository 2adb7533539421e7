"""What happens to the process itself: signals, limits, a damaged model."""

import signal
import time
from collections.abc import Callable, Iterator

import psutil
from daemon import call
from fault import Unhealed, fault
from rig import MODEL, Rig

END_S = 10.0
"""How long an end may take, before systemd would be asked for patience."""


@fault("process", "SIGSTOP for 10 s", soak=True)
def stopped(rig: Rig) -> None:
    rig.daemon.process.send_signal(signal.SIGSTOP)
    rig.hold(10)
    rig.daemon.process.send_signal(signal.SIGCONT)


@fault("process", "no descriptor left for 12 s; camera and broker go", soak=True)
def descriptors(rig: Rig) -> None:
    process = psutil.Process(rig.daemon.process.pid)
    before = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (3, before[1]))
    rig.broker.kill()
    rig.camera.close_now.set()
    rig.hold(1)
    rig.camera.close_now.clear()
    rig.broker.start()
    rig.hold(11)
    process.rlimit(psutil.RLIMIT_NOFILE, before)


@fault("process", "SIGKILL and started again")
def killed(rig: Rig) -> None:
    rig.may_end = True
    rig.daemon.stop(signal.SIGKILL)
    rig.wait_for(lambda: rig.watcher.text("availability") == "offline", 10, "no last will")
    rig.may_end = False
    rig.launch()


@fault("process", "SIGHUP and started again")
def hangup(rig: Rig) -> str:
    rig.may_end = True
    seconds = _end(rig, signal.SIGHUP, "SIGHUP")
    _offline(rig)
    rig.may_end = False
    rig.launch()
    return f"ended within {seconds:.1f} s"


@fault("process", "SIGTERM in every phase, and started again")
def terminated(rig: Rig) -> str:
    rig.may_end = True
    slowest, count = 0.0, 0
    _end(rig, signal.SIGTERM, "running")
    _offline(rig)
    for name, begin, end in _phases(rig):
        rig.launch()
        begin()
        slowest = max(slowest, _end(rig, signal.SIGTERM, name))
        end()
        count += 1
    rig.may_end = False
    rig.launch()
    return f"{count} phases, the slowest end took {slowest:.1f} s"


def _phases(rig: Rig) -> Iterator[tuple[str, Callable[[], None], Callable[[], object]]]:
    """Name, what leads there, and what leads away."""

    def later(seconds: float) -> Callable[[], None]:
        return lambda: time.sleep(seconds)

    def nothing() -> None:
        pass

    for seconds in (0.05, 0.3, 0.6, 1.0, 1.5, 2.0, 3.0):
        yield f"{seconds:g} s after the start", later(seconds), nothing
    rig.camera.hang.set()
    yield "camera silent", later(4), rig.camera.hang.clear
    rig.camera.missing = True
    yield "camera answers 404", later(4), nothing
    rig.camera.missing = False
    rig.broker.kill()
    yield "broker gone", later(4), rig.broker.start
    rig.broker.freeze()
    yield "broker stopped before the start", later(4), rig.broker.thaw
    yield "broker stopped while running", _while_running(rig, rig.broker.freeze), rig.broker.thaw
    stalls = _while_running(rig, rig.camera.hang.set)
    yield "camera silent while running", stalls, rig.camera.hang.clear


def _while_running(rig: Rig, then: Callable[[], object]) -> Callable[[], None]:
    def wait() -> None:
        begun = time.time()
        rig.wait_for(lambda: rig.faces_since(begun), 60, "no face after the start")
        then()
        time.sleep(2)

    return wait


def _end(rig: Rig, how: signal.Signals, phase: str) -> float:
    """Seconds until it ended in order."""
    seconds = rig.daemon.stop(how, timeout_s=30)
    code, errors = rig.daemon.process.returncode, rig.daemon.errors
    # Before the program has installed its handlers the signal itself ends it: nothing is open then.
    if code not in (0, -how, 128 + how) or any("Traceback" in line for line in errors):
        raise Unhealed(f"{phase}: ended with {code}: {' / '.join(errors[-2:])}")
    if seconds > END_S:
        raise Unhealed(f"{phase}: the end took {seconds:.1f} s")
    return seconds


def _offline(rig: Rig) -> None:
    rig.wait_for(lambda: rig.watcher.text("availability") == "offline", 5, "no goodbye")


@fault("process", "model file damaged, started, mended, started", model=True)
def model(rig: Rig) -> str:
    rig.may_end = True
    _end(rig, signal.SIGTERM, "running")
    file = rig.models / f"{MODEL}.tflite"
    whole = file.read_bytes()
    file.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    done = call("run", *rig.arguments())
    file.write_bytes(whole)
    lines = done.stderr.strip().splitlines()
    if done.returncode != 78 or len(lines) != 1:
        raise Unhealed(f"exit code {done.returncode}, {len(lines)} lines: {lines[-1:]}")
    rig.may_end = False
    rig.launch()
    return f"exit code 78, one line: “{lines[0].replace(str(rig.folder), '…')}”"
