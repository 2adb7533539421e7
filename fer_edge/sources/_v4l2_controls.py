"""Setting the controls of a video4linux camera, and saying which it does not have."""

from collections.abc import Iterator, Mapping
from typing import Final

from fer_edge.video4linux import Control, Ioctl, list_controls, set_control

Value = str | int | bool

IDS: Final[Mapping[str, int]] = {
    "auto_exposure": 0x009A0901,
    "exposure_time_absolute": 0x009A0902,
    "exposure_dynamic_framerate": 0x009A0903,
    "gain": 0x00980913,
    "backlight_compensation": 0x0098091C,
    "focus_automatic_continuous": 0x009A090C,
    "focus_absolute": 0x009A090A,
    "power_line_frequency": 0x00980918,
    "white_balance_automatic": 0x0098090C,
    "white_balance_temperature": 0x0098091A,
}
"""V4L2_CID_… of linux/v4l2-controls.h; kernels have changed the names, never the numbers. What switches an
automatic off stands before what it would undo."""

WORDS: Final[Mapping[str, Mapping[str, tuple[int, ...]]]] = {
    # USB cameras have 1 and 3: manual, and aperture priority, with a fixed aperture.
    "auto_exposure": {"auto": (3, 0), "manual": (1, 2)},
    "power_line_frequency": {"disabled": (0,), "50hz": (1,), "60hz": (2,), "auto": (3,)},
}
"""What a word of the configuration is in the camera's menu; the first value that the menu has."""


def apply_controls(ioctl: Ioctl, wanted: Mapping[str, Value]) -> Iterator[str]:
    """Set the controls; a line for each that the camera does not have, does not take or refuses."""
    offered = {control.id: control for control in list_controls(ioctl)}
    for name in IDS:
        if name not in wanted:
            continue
        control = offered.get(IDS[name])
        if control is None:
            names = ", ".join(one.name for one in offered.values()) or "no controls at all"
            yield f"source.{name}: the camera has no such control; it offers {names}"
            continue
        value = _number(name, wanted[name], control)
        if value is None:
            yield f"source.{name} = {wanted[name]}: the camera takes {control.range}"
            continue
        try:
            set_control(ioctl, control.id, value)
        except OSError as error:
            yield f"source.{name} = {wanted[name]}: the camera refuses: {error.strerror}"


def _number(name: str, value: Value, control: Control) -> int | None:
    """The first number for `value` that the control takes."""
    choices = WORDS[name].get(value, ()) if isinstance(value, str) else (int(value),)
    return next((number for number in choices if control.takes(number)), None)
