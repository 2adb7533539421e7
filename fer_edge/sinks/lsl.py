"""Lab Streaming Layer: the largest face as a stream of numbers, and what happens as markers.

Samples carry the time of capture on LSL's clock, so that a recorder lines them up with EEG, gaze or
what a participant was shown. Channels are described as https://github.com/sccn/xdf/wiki/Meta-Data asks.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from fer_edge.config import LslConfig
from fer_edge.errors import ConfigError
from fer_edge.stats import NS_PER_S
from fer_edge.types import EMOTIONS, UNCERTAIN, Face, Result

CHANNELS = (
    ("valence", "from -1 (unpleasant) to 1 (pleasant)", "Valence"),
    ("arousal", "from -1 (calm) to 1 (excited)", "Arousal"),
    *((emotion.value, "probability", "Probability") for emotion in EMOTIONS),
    ("confidence", "probability", "Confidence"),
)
"""Label, unit and type of each, in order."""


class LslSink:
    """Two outlets: `fer-edge-<device>`, and `fer-edge-<device>-markers`."""

    name = "lsl"
    connected = None

    def __init__(
        self,
        config: LslConfig,
        device: str,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Announce nothing yet.

        Raises:
            ConfigError: pylsl or the library that it needs is missing.
        """
        self._device = device
        self._clock_ns = clock_ns
        self._lsl = _load(config)
        self._samples: Any = None
        self._markers: Any = None
        self._emotions: dict[int, str] = {}

    def start(self) -> None:
        """Announce both streams."""
        lsl = self._lsl
        name = f"fer-edge-{self._device}"
        info = lsl.StreamInfo(
            name, "Expression", len(CHANNELS), lsl.IRREGULAR_RATE, lsl.cf_float32, name
        )
        channels = info.desc().append_child("channels")
        for label, unit, kind in CHANNELS:
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", unit)
            channel.append_child_value("type", kind)
        self._samples = lsl.StreamOutlet(info)
        markers = f"{name}-markers"
        self._markers = lsl.StreamOutlet(
            lsl.StreamInfo(markers, "Markers", 1, lsl.IRREGULAR_RATE, lsl.cf_string, markers)
        )

    def put(self, result: Result) -> None:
        """A sample of the largest face; markers of what has changed since the last result."""
        age_s = (self._clock_ns() - result.stamp.captured_ns) / NS_PER_S
        at = self._lsl.local_clock() - age_s
        if result.faces:
            self._samples.push_sample(_sample(result.faces[0]), at)
        emotions = {face.track.id: str(face.emotion or UNCERTAIN) for face in result.faces}
        for marker in _changes(self._emotions, emotions):
            self._markers.push_sample([marker], at)
        self._emotions = emotions

    def idle(self) -> None:
        """Nothing is due by time."""

    def close(self) -> None:
        """Take both streams away."""
        self._samples = self._markers = None


def _sample(face: Face) -> list[float]:
    affect = face.affect
    probabilities = [float(p) for p in affect.probabilities]
    return [float(affect.valence), float(affect.arousal), *probabilities, float(face.confidence)]


def _changes(before: dict[int, str], now: dict[int, str]) -> list[str]:
    """`left:ID`, `appeared:ID` and `emotion:ID:NAME`, in this order."""
    left = [f"left:{number}" for number in before if number not in now]
    appeared = [f"appeared:{number}" for number in now if number not in before]
    changed = [f"emotion:{n}:{emotion}" for n, emotion in now.items() if before.get(n) != emotion]
    return left + appeared + changed


def _load(config: LslConfig) -> Any:
    """The module, told how far streams are announced before it makes the first.

    Raises:
        ConfigError: it, or liblsl, is missing.
    """
    try:
        import pylsl
    except ImportError:
        raise ConfigError("lsl.enabled: pylsl is missing; pip install 'fer-edge[lsl]'") from None
    except RuntimeError:  # without its library it cannot be imported
        raise ConfigError(
            "lsl.enabled: liblsl is missing: pylsl brings it for x86 only; build or install it "
            "(github.com/sccn/liblsl), and name it in PYLSL_LIB"
        ) from None
    if "LSLAPICFG" not in os.environ:  # a file of the user's own says it all
        pylsl.set_config_content(f"[multicast]\nResolveScope = {config.scope}\n")
    return pylsl
