"""What is published when; pure, with an injected clock.

`faces` goes out for every processed frame with faces and once when the last face has left, at most
`max_rate_hz` times a second; `state` on a change, at most twice a second; `diagnostics` every
`diagnostics_s`. A frame for which there is no room is skipped, since a newer one follows. What
no newer message replaces is never lost: the message that the last face has left and the last change
of state wait until they may be sent.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from fer_edge.sinks.mqtt.message import Message
from fer_edge.sinks.payload import (
    JsonObject,
    diagnostics_message,
    encode,
    faces_message,
    state_message,
)
from fer_edge.stats import NS_PER_S, Counter, LatencyMeter
from fer_edge.types import Result

STATE_RATE_HZ = 2.0

STATE_STEP = 0.05
"""Smallest change of valence or arousal that is published as a change of state."""


class Slots:
    """At most `rate_hz` a second, on a fixed grid.

    With a fixed grid a frame that comes a little late for its slot does not delay the next one;
    counting from the last message would make 7.5 a second of 30 frames and a limit of 10.
    """

    def __init__(self, rate_hz: float) -> None:
        self._interval_ns = round(NS_PER_S / rate_hz)
        self._next_ns: int | None = None

    def free(self, now_ns: int) -> bool:
        """Whether a slot has begun that is not taken yet."""
        return self._next_ns is None or now_ns >= self._next_ns

    def take(self, now_ns: int) -> None:
        """Use the slot."""
        if self._next_ns is None or now_ns - self._next_ns >= self._interval_ns:
            self._next_ns = now_ns  # a pause: the grid begins again
        self._next_ns += self._interval_ns

    def restart(self) -> None:
        """The next slot is now."""
        self._next_ns = None


class Publisher:
    """Turns results into messages; called from one thread."""

    def __init__(
        self,
        device: str,
        prefix: str,
        *,
        send: Callable[[Message], bool],
        diagnostics: Callable[[], Mapping[str, object]],
        max_rate_hz: float,
        diagnostics_s: float,
        zones: Sequence[str] = (),
        clock_ns: Callable[[], int] = time.monotonic_ns,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Publish below the topic `prefix`.

        Args:
            device: Name of this device.
            prefix: Beginning of every topic, without a slash at its end.
            send: Hands over a message; False if there is no room for it now.
            diagnostics: Values of the `diagnostics` message.
            max_rate_hz: At most this many `faces` messages a second.
            diagnostics_s: Seconds between two `diagnostics`.
            zones: Names of the zones in which `state` counts faces.
            clock_ns: The clock of `Stamp.captured_ns`.
            utc: The clock of the times in messages.
        """
        self.dropped = Counter()
        """Messages that were dropped because there was no room."""
        self.latency = LatencyMeter()
        """From capture to the hand-over of a `faces` message."""
        self._device = device
        self._prefix = prefix
        self._zones = tuple(zones)
        self._send = send
        self._diagnostics = diagnostics
        self._clock_ns = clock_ns
        self._utc = utc
        self._faces_slots = Slots(max_rate_hz)
        self._state_slots = Slots(STATE_RATE_HZ)
        self._diagnostics_slots = Slots(1 / diagnostics_s)
        self._since_ns = 0
        self._had_faces = False
        self._last_left: Result | None = None
        self._state: JsonObject | None = None
        self._changed: Result | None = None

    def connected(self, at_ns: int) -> None:
        """A connection began: what was captured before it is never sent; the state is sent again."""
        self._since_ns = at_ns
        self._last_left = None
        self._state = None
        self._changed = None
        self._diagnostics_slots.restart()

    def repeat_state(self) -> None:
        """Send the state with the next frame, changed or not."""
        self._state = None

    def put(self, result: Result) -> None:
        """Send what is due, with `result` as the news."""
        if result.stamp.captured_ns < self._since_ns:
            return
        now_ns = self._clock_ns()
        if self._had_faces and not result.faces:
            self._last_left = result
        self._changed = result if self._differs(result) else None
        if self._last_left is None and result.faces:
            self._send_faces(result, now_ns)
        self._send_due(now_ns)

    def idle(self) -> None:
        """Send what has become due since."""
        self._send_due(self._clock_ns())

    def flush(self) -> None:
        """Send at once what waits for its slot: the end has come."""
        self._faces_slots.restart()
        self._state_slots.restart()
        now_ns = self._clock_ns()
        if self._last_left is not None:
            self._send_leaving(self._last_left, now_ns)
        if self._changed is not None:
            self._send_state(self._changed, now_ns)

    def _send_due(self, now_ns: int) -> None:
        if self._last_left is not None:
            self._send_leaving(self._last_left, now_ns)
        if self._changed is not None:
            self._send_state(self._changed, now_ns)
        self._send_diagnostics(now_ns)

    def _send_faces(self, result: Result, now_ns: int) -> None:
        if not self._faces_slots.free(now_ns):
            return
        self._faces_slots.take(now_ns)
        if self._hand_over("faces", faces_message(result, self._device, now_ns=now_ns)):
            self._had_faces = True
            self.latency.add(now_ns - result.stamp.captured_ns)
        else:
            self.dropped.add()

    def _send_leaving(self, result: Result, now_ns: int) -> None:
        if not self._faces_slots.free(now_ns):
            return
        if self._hand_over("faces", faces_message(result, self._device, now_ns=now_ns)):
            self._faces_slots.take(now_ns)
            self._had_faces = False
            self._last_left = None

    def _send_state(self, result: Result, now_ns: int) -> None:
        if not self._state_slots.free(now_ns):
            return
        message = state_message(result, self._device, self._zones)
        if self._hand_over("state", message):
            self._state_slots.take(now_ns)
            self._state = message
            self._changed = None

    def _send_diagnostics(self, now_ns: int) -> None:
        if not self._diagnostics_slots.free(now_ns):
            return
        self._diagnostics_slots.take(now_ns)
        message = diagnostics_message(self._diagnostics(), self._device, at=self._utc())
        if not self._hand_over("diagnostics", message):
            self.dropped.add()

    def _hand_over(self, topic: str, payload: JsonObject) -> bool:
        return self._send(Message(f"{self._prefix}/{topic}", encode(payload)))

    def _differs(self, result: Result) -> bool:
        """Whether the state of `result` differs enough from the one sent last."""
        if self._state is None:
            return True
        new = state_message(result, self._device, self._zones)
        if any(new.get(key) != self._state.get(key) for key in ("faces", "emotion", "zones")):
            return True
        return bool(new["faces"]) and any(
            abs(new[key] - self._state[key]) >= STATE_STEP for key in ("valence", "arousal")
        )
