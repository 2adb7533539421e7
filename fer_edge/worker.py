"""Threads: this module is the only one that makes them."""

import threading
import time
from collections.abc import Callable, Sequence

from fer_edge.mailbox import Mailbox


class Worker:
    """A thread that runs one function; whatever ends it unexpectedly ends the service.

    The function gets the worker, to ask `stopping`, to sleep in `pause`, and to mark with `busy`
    and `free` the steps in which it must not hang.
    """

    def __init__(
        self, name: str, run: Callable[["Worker"], None], ended: "Mailbox[Worker] | None" = None
    ) -> None:
        self.name = name
        self.error: BaseException | None = None
        self._run = run
        self._ended = ended
        self._stop = threading.Event()
        self._busy_since_ns: int | None = None
        # A daemon thread: one that hangs in a driver must not keep the process from its exit.
        self._thread = threading.Thread(target=self._guard, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Whether it ended within `timeout_s`, or never began."""
        if self._thread.ident is None:
            return True
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    def pause(self, seconds: float) -> bool:
        """Sleep, or less if asked to end; whether it was asked."""
        return self._stop.wait(seconds)

    def busy(self) -> None:
        """A step begins that must end soon."""
        self._busy_since_ns = time.monotonic_ns()

    def free(self) -> None:
        """The step has ended: waiting for work does not count as hanging."""
        self._busy_since_ns = None

    def busy_s(self) -> float:
        """For how many seconds the present step has lasted."""
        since_ns = self._busy_since_ns
        return 0.0 if since_ns is None else (time.monotonic_ns() - since_ns) / 1e9

    def _guard(self) -> None:
        try:
            self._run(self)
        except BaseException as error:  # noqa: BLE001 - handed to the service, which ends
            self.error = error
        finally:
            self.free()
            if self._ended is not None:
                self._ended.put(self)


def any_left_behind() -> bool:
    """Whether a thread beside the main one is still alive."""
    return any(one is not threading.main_thread() for one in threading.enumerate())


def stop_all(workers: Sequence[Worker], timeout_s: float) -> list[Worker]:
    """Ask all of them first, then wait for each against one deadline; those that did not end."""
    for worker in workers:
        worker.stop()
    deadline = time.monotonic() + timeout_s
    return [worker for worker in workers if not worker.join(deadline - time.monotonic())]
