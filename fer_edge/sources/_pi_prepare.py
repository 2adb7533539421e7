"""What can be set only before picamera2 opens a camera: the sensor's HDR, and its tuning."""

import logging
from typing import Any

from fer_edge.sources._pi_controls import Preparation, limit_exposure

log = logging.getLogger(__name__)


def switch_sensor_hdr(number: int, model: str, *, on: bool) -> None:
    """The sensor's own HDR, of Camera Module 3; a warning where there is none."""
    if not model.startswith("imx708"):
        if on:
            log.warning(
                "picamera2 camera %d: source.hdr_mode = sensor: the sensor %s has no HDR that can be "
                "switched, only that of Camera Module 3 (imx708)",
                number,
                model,
            )
        return
    try:
        from picamera2.devices.imx708 import IMX708

        with IMX708(number) as sensor:
            sensor.set_sensor_hdr_mode(on)
    except (ImportError, OSError, RuntimeError) as error:
        log.warning("picamera2 camera %d: source.hdr_mode: cannot be switched: %s", number, error)


def limited_tuning(
    kind: Any, number: int, model: str, preparation: Preparation
) -> dict[str, Any] | None:
    """The camera's tuning with the limits of its automatic exposure; None for its own.

    `kind` is the class Picamera2. Where there is nothing to limit, that is a warning.
    """
    if not preparation.limits_exposure:
        return None
    try:
        tuning: dict[str, Any] = kind.load_tuning_file(f"{model}.json")
        agc = kind.find_tuning_algo(tuning, "rpi.agc")
        limited = limit_exposure(agc, preparation)
    except (RuntimeError, OSError, ValueError, LookupError, StopIteration) as error:
        log.debug("tuning of %s: %r", model, error)
        limited = False
    if limited:
        return tuning
    log.warning(
        "picamera2 camera %d: source.max_exposure_time and max_analogue_gain: libcamera has no tuning "
        "file for the sensor %s that can be limited; they are left out",
        number,
        model,
    )
    return None
