"""Messages that wait for a reader: the newest of each device, and no more."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from fer_edge.client.messages import Faces

MAX_DEVICES = 256
"""Devices of which messages may wait: more on one broker than that is a mistake, or an attack."""


class Waiting:
    """Holds the newest `keep` messages of each device; devices are read in turn. Thread-safe."""

    def __init__(self, keep: int) -> None:
        self.dropped = 0
        """Messages that were dropped because newer ones came before they were read."""
        self._keep = keep
        self._messages: OrderedDict[str, deque[Faces]] = OrderedDict()
        self._changed = threading.Condition()
        self._error: Exception | None = None
        self._closed = False
        self._wake: Callable[[], None] | None = None

    def put(self, message: Faces) -> None:
        """Leave a message, dropping the device's oldest if there is no room."""
        with self._changed:
            waiting = self._messages.setdefault(message.device, deque())
            if len(waiting) == self._keep:
                waiting.popleft()
                self.dropped += 1
            waiting.append(message)
            if len(self._messages) > MAX_DEVICES:
                self.dropped += len(self._messages.popitem(last=False)[1])
            self._notify()

    def close(self, error: Exception | None = None) -> None:
        """Nothing comes any more; `error` says why, and is raised to the reader."""
        with self._changed:
            self._closed = True
            self._error = self._error or error
            self._notify()

    def get(self, timeout_s: float | None) -> Faces | None:
        """The next message, waiting for one; None after `timeout_s`, or at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._closed, timeout_s)
            return self._take()

    def take(self) -> Faces | None:
        """The next message, if one waits."""
        with self._changed:
            return self._take()

    @property
    def closed(self) -> bool:
        """Whether nothing comes any more."""
        return self._closed

    def wake_with(self, wake: Callable[[], None] | None) -> None:
        """Call this, from the thread of the connection, whenever something has changed."""
        with self._changed:
            self._wake = wake

    def _take(self) -> Faces | None:
        if self._error is not None:
            raise self._error
        if not self._messages:
            return None
        device, waiting = self._messages.popitem(last=False)
        message = waiting.popleft()
        if waiting:  # to the end of the row: the other devices' turn
            self._messages[device] = waiting
        return message

    def _notify(self) -> None:
        self._changed.notify_all()
        if self._wake is not None:
            self._wake()
