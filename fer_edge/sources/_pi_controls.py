"""libcamera's controls by the names of the configuration, checked against what the camera offers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Value = str | int | float

NAMES: Final[Mapping[str, str]] = {
    "af_mode": "AfMode",
    "af_range": "AfRange",
    "lens_position": "LensPosition",
    "exposure_time": "ExposureTime",
    "analogue_gain": "AnalogueGain",
    "ae_exposure_mode": "AeExposureMode",
    "exposure_value": "ExposureValue",
    "ae_flicker_period": "AeFlickerPeriod",
    "awb_mode": "AwbMode",
    "hdr_mode": "HdrMode",
}
"""libcamera's own names."""

WORDS: Final[Mapping[str, Mapping[str, int]]] = {
    "af_mode": {"manual": 0, "auto": 1, "continuous": 2},
    "af_range": {"normal": 0, "macro": 1, "full": 2},
    "ae_exposure_mode": {"normal": 0, "short": 1, "long": 2},
    "awb_mode": {
        "auto": 0,
        "incandescent": 1,
        "tungsten": 2,
        "fluorescent": 3,
        "indoor": 4,
        "daylight": 5,
        "cloudy": 6,
    },
    "hdr_mode": {"off": 0, "multi_exposure": 2, "single_exposure": 3, "night": 4},
}
"""Numbers of the words, from libcamera's control_ids_core.yaml."""

SENSOR_HDR: Final = "sensor"
"""Value of `hdr_mode` that is no control: it is switched in the sensor before the camera opens."""

BESIDE: Final[Mapping[tuple[str, Value], Mapping[str, int]]] = {
    ("af_mode", "auto"): {"AfTrigger": 0},
}
"""What libcamera wants beside a setting; AfTrigger 0 starts the one search of the focus."""

FLICKER_MANUAL: Final = 1


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is done to a camera before it is opened."""

    max_exposure_time: int | None = None
    """Longest exposure that the automatic chooses, microseconds."""
    max_analogue_gain: float | None = None
    """Highest gain that the automatic chooses."""
    sensor_hdr: bool | None = None
    """Whether the sensor's own HDR is switched on or off; None: it stays as it is."""

    @property
    def limits_exposure(self) -> bool:
        """Whether the automatic exposure has a limit."""
        return self.max_exposure_time is not None or self.max_analogue_gain is not None


def prepared(wanted: Mapping[str, Value]) -> Preparation:
    """The settings that are no controls."""
    time, gain, hdr = (
        wanted.get(name) for name in ("max_exposure_time", "max_analogue_gain", "hdr_mode")
    )
    return Preparation(
        None if time is None else int(time),
        None if gain is None else float(gain),
        None if hdr is None else hdr == SENSOR_HDR,
    )


def select_controls(
    wanted: Mapping[str, Value], offered: Mapping[str, tuple[Any, Any, Any]]
) -> tuple[dict[str, Value], list[str]]:
    """The controls to set, by libcamera's names; and a line for each that the camera cannot do.

    Args:
        wanted: Values by the names of the configuration.
        offered: Least, greatest and default value of each control, as picamera2 has it.
    """
    chosen: dict[str, Value] = {}
    complaints = []
    for name, value in _numbers(wanted):
        complaint = _complaint(name, wanted[name], value, offered)
        if complaint:
            complaints.append(complaint)
            continue
        if name == "lens_position":
            chosen["AfMode"] = 0
        if name == "ae_flicker_period":
            chosen["AeFlickerMode"] = FLICKER_MANUAL
        chosen[NAMES[name]] = value
        chosen.update(BESIDE.get((name, wanted[name]), {}))
    # What stands beside a setting, and HDR that is off, where the camera has no such control.
    return {name: value for name, value in chosen.items() if name in offered}, complaints


def limit_exposure(agc: Mapping[str, Any], limits: Preparation) -> bool:
    """Lower the exposure times and gains among which the automatic chooses, in place.

    Args:
        agc: The parameters of `rpi.agc` in a camera's tuning file: each exposure mode is a way of
            shutter times (microseconds) and gains that rise together ("Raspberry Pi Camera
            Algorithm and Tuning Guide", 5.5).
        limits: The highest of each.

    Returns:
        Whether there was anything to limit.
    """
    limited = False
    for channel in agc.get("channels", [agc]):
        for mode in channel.get("exposure_modes", {}).values():
            limited = True
            if limits.max_exposure_time is not None:
                mode["shutter"] = [min(one, limits.max_exposure_time) for one in mode["shutter"]]
            if limits.max_analogue_gain is not None:
                mode["gain"] = [min(one, limits.max_analogue_gain) for one in mode["gain"]]
    return limited


def _numbers(wanted: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """The settings that are controls, words as numbers, in the order of `NAMES`."""
    for name in NAMES:
        value = wanted.get(name)
        if value is None or value == SENSOR_HDR:
            continue
        yield name, WORDS[name][value] if isinstance(value, str) else value


def _complaint(
    name: str, written: Value, value: Value, offered: Mapping[str, tuple[Any, Any, Any]]
) -> str:
    control = NAMES[name]
    if control not in offered:
        if name == "hdr_mode" and value == 0:
            return ""
        return f"source.{name}: the camera has no {control}; it offers {', '.join(sorted(offered))}"
    least, most, _ = offered[control]
    # Some cameras name no upper end, which libcamera gives as 0.
    numbers = isinstance(least, int | float) and isinstance(most, int | float) and most > least
    if numbers and not least <= value <= most:
        return f"source.{name} = {written}: the camera takes {control} from {least} to {most}"
    return ""
