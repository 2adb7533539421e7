"""Tells systemd how the service is, and warns of settings with which it would take a wait for a hang."""

import logging
import time
from typing import Final

from fer_edge.camera import OFF, OPENING
from fer_edge.config import Config, ImagesSource
from fer_edge.pipeline import Pipeline
from fer_edge.stats import Statistics
from fer_edge.system.sdnotify import Notifier

log = logging.getLogger(__name__)

STATUS_S: Final = 2.0
"""How often systemd's status line is renewed."""


def warn_of_long_waits(config: Config, watchdog_s: float | None) -> None:
    """One line for every setting that lets systemd take a wait for a hang, and restart the service.

    Args:
        config: The whole configuration.
        watchdog_s: The service's WatchdogSec; None without a watchdog.
    """
    if watchdog_s is None:
        return
    source = config.source
    waits = {
        "retry.max_s": config.retry.max_s,
        "tracking.idle_rate_hz": 1 / config.tracking.idle_rate_hz,
        "source.open_timeout_s": getattr(source, "open_timeout_s", 0.0),
        "source.stall_timeout_s": getattr(source, "stall_timeout_s", 0.0),
        "source.fps": 1 / source.fps if isinstance(source, ImagesSource) else 0.0,
    }
    for field, seconds in waits.items():
        if seconds > watchdog_s / 2:
            log.warning(
                "%s allows %g s without progress, more than half of WatchdogSec (%g s): systemd may "
                "restart the service; change it, or WatchdogSec with systemctl edit fer-edge",
                *(field, seconds, watchdog_s),
            )


class Heartbeat:
    """Tells systemd how the pipeline is: READY once, WATCHDOG on progress alone, STATUS."""

    def __init__(self, pipeline: Pipeline, statistics: Statistics, notifier: Notifier) -> None:
        self._pipeline = pipeline
        self._statistics = statistics
        self._notifier = notifier
        self._ready = False
        self._progress = 0
        self._status_due = 0.0
        # Half of the interval for the step, half for being noticed.
        self._limit_s = (notifier.watchdog_interval_s or 30.0) / 2
        self._hanging: list[str] = []

    def beat(self) -> None:
        """Called a few times a second."""
        progress = self._statistics.progress
        if progress == self._progress:
            return
        if not self._ready:
            self._ready = True
            self._notifier.ready(self.status())
        hanging = self._pipeline.hanging(self._limit_s)
        if not hanging:
            self._notifier.watchdog()
        elif hanging != self._hanging:
            log.warning("hanging for over %.0f s: %s", self._limit_s, ", ".join(hanging))
        self._hanging = hanging
        self._progress = progress
        if time.monotonic() >= self._status_due:
            self._status_due = time.monotonic() + STATUS_S
            self._notifier.status(self.status())

    def stop(self) -> None:
        """The end has begun."""
        self._notifier.stopping("ending")

    def status(self) -> str:
        """One line for `systemctl status`."""
        reason = self._statistics.camera.condition.reason
        if reason is not None:
            again = "" if reason in {OFF, OPENING} else "; trying again"
            return f"no pictures: {reason}{again}"
        faces = self._statistics.faces.value
        rate = self._statistics.processed.rate_hz()
        return f"{rate:.1f} frames/s, {faces} face{'' if faces == 1 else 's'}"
