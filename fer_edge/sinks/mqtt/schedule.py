"""What is published when; pure, with an injected clock.

`faces` goes out for every processed frame with faces, once when the last face has left and once when
pictures cease, at most `max_rate_hz` times a second; `state` on a change, at most once a second;
`camera` on a change; events as they come; `diagnostics` every `diagnostics_s`. A frame for which there is
no room is skipped, since a newer one follows. What
no newer message replaces is never lost: the message that the last face has left and the last change
of state wait until they may be sent, and then tell of the newest frame.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from fer_edge.camera import CameraCondition
from fer_edge.sinks.mqtt.events import Events
from fer_edge.sinks.mqtt.message import JSON, Message
from fer_edge.sinks.mqtt.summary import Summary
from fer_edge.sinks.payload import (
    JsonObject,
    camera_message,
    diagnostics_message,
    encode,
    faces_message,
    somebody_in_view,
)
from fer_edge.stats import NS_PER_S, Counter, LatencyMeter
from fer_edge.types import Result

FRESH_S = 2
"""How old a `faces` message may become: a subscriber that acts on faces must not act on old ones."""

STATE_RATE_HZ = 1.0


SETTLE_NS = NS_PER_S
"""So long after the first picture nobody is said to be absent: a face takes some frames to be found."""


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
        camera: Callable[[], CameraCondition],
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
            camera: The present condition of the camera.
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
        self._send = send
        self._diagnostics = diagnostics
        self._camera = camera
        self._clock_ns = clock_ns
        self._utc = utc
        self._faces_slots = Slots(max_rate_hz)
        self._state_slots = Slots(STATE_RATE_HZ)
        self._diagnostics_slots = Slots(1 / diagnostics_s)
        self._since_ns = 0
        self._somebody: bool | None = False
        """Whether somebody is in view, as of the last `faces` message."""
        self._last_left: Result | None = None
        """The news that nobody is in view, or that nobody knows, until it is sent."""
        self._found_since_ns: int | None = None
        """The begin of the time with pictures in which a face was found last."""
        self._condition: CameraCondition | None = None
        """As sent last in this connection."""
        self._summary = Summary(device, zones)
        self._events = Events(device, self._hand_over)
        self._changed: JsonObject | None = None

    def connected(self, at_ns: int) -> None:
        """A connection began: what was captured before it is never sent; the state is sent again."""
        self._since_ns = at_ns
        self._last_left = None
        self._condition = None
        self._summary.forget()
        self._events.forget()
        self._changed = None
        self._diagnostics_slots.restart()

    def repeat_state(self) -> None:
        """Send the state with the next frame, changed or not."""
        self._summary.forget()

    def put(self, result: Result) -> None:
        """Send what is due, with `result` as the news."""
        if result.stamp.captured_ns < self._since_ns:
            return
        now_ns = self._clock_ns()
        if not (result.lost or self._seen_now(result)):
            self._send_due(now_ns)
            return
        somebody = somebody_in_view(result)
        if not somebody:
            self._last_left = result if somebody != self._somebody else None
        elif self._last_left is not None and _is_old(self._last_left, now_ns):
            self._last_left = None  # the faces that are here now say so too
        if result.lost:
            self._send_due(now_ns)
            return
        state = self._summary.make(result)
        self._changed = state if self._summary.differs(state) else None
        self._events.see(result, now_ns)
        # First what is rare: on a slow link there is room for one message at a time.
        self._send_due(now_ns)
        if self._last_left is None and result.faces:
            self._send_faces(result, now_ns)

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

    def _seen_now(self, result: Result) -> bool:
        """Whether the picture belongs to the camera's present time with pictures, and tells who is there."""
        condition = self._camera()
        if result.faces:
            self._found_since_ns = condition.since_ns
        found = self._found_since_ns == condition.since_ns
        age_ns = result.stamp.captured_ns - condition.since_ns
        return condition.available and age_ns >= (0 if found else SETTLE_NS)

    def _send_due(self, now_ns: int) -> None:
        self._send_camera(now_ns)
        if self._last_left is not None:
            self._send_leaving(self._last_left, now_ns)
        if not self._camera().available:
            self._send_blind_state(now_ns)
        elif self._changed is not None:
            self._send_state(self._changed, now_ns)
        self._send_diagnostics(now_ns)

    def _send_faces(self, result: Result, now_ns: int) -> None:
        if not self._faces_slots.free(now_ns):
            return
        self._faces_slots.take(now_ns)
        if self._hand_over("faces", faces_message(result, self._device, now_ns=now_ns)):
            self._somebody = True
            self.latency.add(now_ns - result.stamp.captured_ns)
        else:
            self.dropped.add()

    def _send_leaving(self, result: Result, now_ns: int) -> None:
        if not self._faces_slots.free(now_ns):
            return
        if self._hand_over("faces", faces_message(result, self._device, now_ns=now_ns)):
            self._faces_slots.take(now_ns)
            self._somebody = somebody_in_view(result)
            self._last_left = None

    def _send_state(self, message: JsonObject, now_ns: int) -> None:
        if not self._state_slots.free(now_ns):
            return
        if self._hand_over("state", message):
            self._state_slots.take(now_ns)
            self._summary.sent(message)
            self._changed = None

    def _send_blind_state(self, now_ns: int) -> None:
        self._changed = None
        self._events.go_blind()
        message = self._summary.blind(now_ns)
        if self._summary.differs(message):
            self._send_state(message, now_ns)

    def _send_camera(self, now_ns: int) -> None:
        condition = self._camera()
        if condition == self._condition:
            return
        # By the clock as it is now: it may have been set since.
        since = self._utc() - timedelta(microseconds=(now_ns - condition.since_ns) / 1000)
        message = camera_message(condition, self._device, since=since)
        if self._hand_over("camera", message, qos=1, retain=True):
            self._condition = condition

    def _send_diagnostics(self, now_ns: int) -> None:
        if not self._diagnostics_slots.free(now_ns):
            return
        self._diagnostics_slots.take(now_ns)
        message = diagnostics_message(self._diagnostics(), self._device, at=self._utc())
        if not self._hand_over("diagnostics", message):
            self.dropped.add()

    def _hand_over(
        self, topic: str, payload: JsonObject, *, qos: int = 0, retain: bool = False
    ) -> bool:
        message = Message(
            f"{self._prefix}/{topic}",
            encode(payload),
            qos,
            retain,
            content_type=JSON,
            expiry_s=FRESH_S if topic.startswith(("faces", "events")) else None,
        )
        return self._send(message)


def _is_old(result: Result, now_ns: int) -> bool:
    return now_ns - result.stamp.captured_ns > FRESH_S * NS_PER_S
