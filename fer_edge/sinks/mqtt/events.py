"""What happens to faces, one message each: appeared, left, changed; pure.

At most one a second of either kind, so that a crowd fills nobody's database: what is undone before its
turn is never told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fer_edge.sinks.payload import JsonObject, timestamp
from fer_edge.stats import NS_PER_S
from fer_edge.types import Emotion, Face, Result

EVENTS_SCHEMA = "fer-edge/event/1"

INTERVAL_NS = NS_PER_S
"""Between two events of a kind."""


@dataclass(frozen=True, slots=True)
class _Shown:
    emotion: Emotion
    since: datetime


class Events:
    """Compares what was told with what is seen."""

    def __init__(self, device: str, send: Callable[[str, JsonObject], bool]) -> None:
        """`send` takes the end of the topic and a message; False if there is no room for it."""
        self._device = device
        self._send = send
        self._known: set[int] | None = None
        """Faces that readers know of; None: whoever is there next was there before."""
        self._told: dict[int, _Shown] = {}
        """The emotion of each face that readers know of."""
        self._changing: dict[int, _Shown] = {}
        """Those that show another one now."""
        self._next_ns = {"face": 0, "emotion": 0}

    def forget(self) -> None:
        """Nothing is known any more: after a pause, or without pictures, nobody appears or leaves."""
        self._known = None
        self._told.clear()
        self._changing.clear()

    def see(self, result: Result, now_ns: int) -> None:
        """Tell what is due after `result`."""
        self._tell_who(result, now_ns)
        present = {face.track.id: face for face in result.faces}
        for remembered in (self._told, self._changing):
            for gone in remembered.keys() - present.keys():
                del remembered[gone]
        for face in result.faces:
            self._note(face, result.stamp.captured_at)
        self._tell_change(result, now_ns)

    def _tell_who(self, result: Result, now_ns: int) -> None:
        present = {face.track.id for face in result.faces}
        if self._known is None:
            self._known = present
        news = [("left", one) for one in sorted(self._known - present)]
        news += [("appeared", one) for one in sorted(present - self._known)]
        if not news or now_ns < self._next_ns["face"]:
            return
        what, face = news[0]
        if self._tell("face", result, now_ns, {"event_type": what, "face": face}):
            self._known ^= {face}

    def _note(self, face: Face, at: datetime) -> None:
        """An uncertain face shows what it showed before."""
        number, emotion = face.track.id, face.emotion
        if emotion is None:
            return
        told = self._told.setdefault(number, _Shown(emotion, at))
        if told.emotion is emotion:
            self._changing.pop(number, None)
        elif number not in self._changing or self._changing[number].emotion is not emotion:
            self._changing[number] = _Shown(emotion, at)

    def _tell_change(self, result: Result, now_ns: int) -> None:
        if not self._changing or now_ns < self._next_ns["emotion"]:
            return
        number, new = min(self._changing.items(), key=lambda item: item[1].since)
        old = self._told[number]
        held_s = max(0.0, (new.since - old.since).total_seconds())
        event: JsonObject = {"event_type": "changed", "face": number}
        event |= {"from": old.emotion.value, "to": new.emotion.value, "held_s": round(held_s, 1)}
        if self._tell("emotion", result, now_ns, event):
            self._told[number] = self._changing.pop(number)

    def _tell(self, kind: str, result: Result, now_ns: int, event: JsonObject) -> bool:
        head: JsonObject = {"schema": EVENTS_SCHEMA, "device": self._device}
        head["at"] = timestamp(result.stamp.captured_at)
        if not self._send(f"events/{kind}", head | event):
            return False
        self._next_ns[kind] = now_ns + INTERVAL_NS
        return True
