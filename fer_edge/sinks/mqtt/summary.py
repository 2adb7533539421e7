"""What `state` says: steady figures, since when an emotion is shown, and the last minute; pure."""

from collections import deque
from datetime import datetime

from fer_edge.sinks.payload import (
    NO_FACE,
    JsonObject,
    blind_state_message,
    state_message,
    timestamp,
)
from fer_edge.stats import NS_PER_S
from fer_edge.types import EMOTIONS, UNCERTAIN, Result

STEPS = {"valence": 0.05, "arousal": 0.05, "confidence": 0.1}
"""A figure keeps the value that was published last until it differs by so much: a database that keeps
every change is not filled with noise."""

LEAD = 0.1
"""How much larger another emotion's share of the last minute must be to replace the dominant one."""

LONGEST_GAP_NS = 2 * NS_PER_S
"""Of a longer time between two results nobody knows what was shown."""

MINUTE_NS = 60 * NS_PER_S

LABELS = (*(emotion.value for emotion in EMOTIONS), UNCERTAIN)


class LastMinute:
    """How long the largest face showed each emotion within the last minute."""

    def __init__(self) -> None:
        self._shown: deque[tuple[int, int, str]] = deque()
        """End and duration in nanoseconds, emotion; one entry for a stretch of up to a second."""
        self._last: tuple[int, str | None] = (0, None)
        self._dominant = NO_FACE

    def see(self, at_ns: int, emotion: str | None) -> None:
        """From now on `emotion` is shown; None: nobody is in view."""
        since_ns, shown = self._last
        duration_ns = at_ns - since_ns
        if shown is not None and 0 < duration_ns <= LONGEST_GAP_NS:
            self._add(at_ns, duration_ns, shown)
        self._last = (at_ns, emotion)
        while self._shown and self._shown[0][0] <= at_ns - MINUTE_NS:
            self._shown.popleft()

    def summary(self) -> JsonObject:
        """The dominant emotion, each one's share of the time with a face, and that time in seconds."""
        sums = dict.fromkeys(LABELS, 0)
        for _, duration_ns, emotion in self._shown:
            sums[emotion] += duration_ns
        total_ns = sum(sums.values())
        shares = {label: sums[label] / total_ns if total_ns else 0.0 for label in LABELS}
        self._choose(shares)
        return {
            "emotion": self._dominant,
            "shares": {label: round(share, 2) for label, share in shares.items()},
            "seen_s": round(total_ns / NS_PER_S, 1),
        }

    def _add(self, end_ns: int, duration_ns: int, emotion: str) -> None:
        if self._shown:
            _, before_ns, last = self._shown[-1]
            if last == emotion and before_ns + duration_ns <= NS_PER_S:
                self._shown[-1] = (end_ns, before_ns + duration_ns, emotion)
                return
        self._shown.append((end_ns, duration_ns, emotion))

    def _choose(self, shares: dict[str, float]) -> None:
        best = max(LABELS, key=lambda label: shares[label])
        if shares[best] == 0:
            self._dominant = self._last[1] or NO_FACE
        elif shares[best] >= shares.get(self._dominant, 0.0) + LEAD or not shares.get(
            self._dominant
        ):
            self._dominant = best


class Summary:
    """Makes `state` messages of results; called for every result, in order."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._minute = LastMinute()
        self._emotion: object = NO_FACE
        self._since: datetime | None = None
        self._sent: JsonObject | None = None

    def forget(self) -> None:
        """The next message stands alone: whoever reads it knows none before."""
        self._sent = None

    def sent(self, message: JsonObject) -> None:
        """Readers know `message` from now on."""
        self._sent = message

    def make(self, result: Result) -> JsonObject:
        """The state after `result`."""
        message = state_message(result, self._device)
        emotion = message["emotion"]
        if emotion != self._emotion or self._since is None:
            self._emotion, self._since = emotion, result.stamp.captured_at
        self._minute.see(result.stamp.captured_ns, emotion if result.faces else None)
        message["since"] = timestamp(self._since)
        message["dominant"] = self._minute.summary()
        return self._steady(message)

    def blind(self, now_ns: int) -> JsonObject:
        """The state while there are no pictures."""
        self._emotion, self._since = None, None
        self._minute.see(now_ns, None)
        return {**blind_state_message(self._device), "since": None, "dominant": None}

    def differs(self, message: JsonObject) -> bool:
        """Whether readers should have it."""
        if self._sent is None:
            return True
        fields = ("faces", "emotion", *STEPS)
        return any(message[key] != self._sent[key] for key in fields) or (
            _dominant(message) != _dominant(self._sent)
        )

    def _steady(self, message: JsonObject) -> JsonObject:
        for key, step in STEPS.items():
            new, old = message[key], (self._sent or {}).get(key)
            if new is not None and old is not None and abs(new - old) < step:
                message[key] = old
        return message


def _dominant(message: JsonObject) -> object:
    return (message["dominant"] or {}).get("emotion")
