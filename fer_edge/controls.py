"""Changes a running service: what it accepts, puts into effect, and remembers over a restart."""

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError

from fer_edge.affect import Classifier, open_classifier
from fer_edge.affect.smoother import Smoother
from fer_edge.affect.stage import AffectStage
from fer_edge.camera import CameraState
from fer_edge.config import Config, ModelConfig, TrackingConfig
from fer_edge.errors import ModelError
from fer_edge.modelcard import list_cards, models_dir
from fer_edge.quiet import quiet_stderr
from fer_edge.settings import Settings
from fer_edge.statefile import StateFile

log = logging.getLogger(__name__)

T = TypeVar("T", ModelConfig, TrackingConfig)

KEPT = "settings"
"""Name in the state file."""


class Controls:
    """The settings of one run; `adjust` and `restart` are called from one thread.

    Nothing is locked: what another thread reads is replaced as a whole.
    """

    def __init__(
        self,
        config: Config,
        *,
        camera: CameraState,
        affect: AffectStage,
        smoother: Smoother,
        classifier: Classifier,
        state: StateFile,
    ) -> None:
        """Begin with the configuration's settings; `restore` puts those on top that were kept.

        Args:
            config: The whole configuration.
            camera: Turned off and on.
            affect: Its model is replaced.
            smoother: Its settings are replaced.
            classifier: The model in use.
            state: Where changed settings are kept.
        """
        self.restarting = False
        """Whether a restart was asked for."""
        self._tracking = config.tracking
        self._model = config.model
        self._camera = camera
        self._affect = affect
        self._smoother = smoother
        self._classifier = classifier
        self._state = state
        self._configured = Settings(
            recognition=True,
            model_width=classifier.card.alpha,
            min_confidence=config.tracking.min_confidence,
            smoothing=config.tracking.smoothing_s,
        )
        self._settings = self._configured
        directory = config.model.directory or models_dir()
        cards = [c for c in list_cards(directory) if c.precision == config.model.precision]
        self.model_widths = tuple(card.alpha for card in cards)
        self._setters: dict[str, Callable[[str], Settings]] = {
            "recognition": self._set_recognition,
            "model_width": self._set_model_width,
            "min_confidence": self._set_min_confidence,
            "smoothing": self._set_smoothing,
        }

    @property
    def settings(self) -> Settings:
        """What is in effect now."""
        return self._settings

    @property
    def model_name(self) -> str:
        """The name of the model in use."""
        return self._classifier.card.name

    def restart(self) -> None:
        """End the run soon, and begin it again."""
        log.info("restarting, as asked over MQTT")
        self.restarting = True

    def adjust(self, name: str, value: str) -> str | None:
        """As in `Adjustable`; a value that was accepted is kept over a restart."""
        if name not in self._setters:
            return f"no such setting; there are {', '.join(self._setters)}"
        try:
            self._settings = self._setters[name](value)
        except ValidationError as error:
            return str(error.errors()[0]["msg"])
        except (ModelError, ValueError) as error:
            return str(error)
        log.info("%s is %s now, as set over MQTT", name, value)
        self._keep(name)
        return None

    def restore(self) -> None:
        """Put those settings into effect that were changed in an earlier run.

        One whose value in the configuration has changed since is not: the newer wish counts.
        """
        kept = self._state.get(KEPT)
        for name, setter in self._setters.items():
            entry = kept.get(name) if isinstance(kept, dict) else None
            if not isinstance(entry, dict):
                continue
            if entry.get("configured") != getattr(self._configured, name):
                continue
            try:
                self._settings = setter(str(entry.get("value")))
            except (ValidationError, ModelError, ValueError):
                log.warning("%s: the kept value is of no use; the configured one counts", name)
                continue
            log.info("%s is %s, as set over MQTT in an earlier run", name, entry["value"])

    def _keep(self, name: str) -> None:
        kept = self._state.get(KEPT)
        kept = dict(kept) if isinstance(kept, dict) else {}
        value, configured = getattr(self._settings, name), getattr(self._configured, name)
        kept.pop(name, None)
        if value != configured:
            text = ("ON" if value else "OFF") if name == "recognition" else str(value)
            kept[name] = {"value": text, "configured": configured}
        self._state.put(KEPT, kept or None)

    def _set_recognition(self, value: str) -> Settings:
        if value not in {"ON", "OFF"}:
            raise ValueError("write ON or OFF")
        if value == "ON":
            self._camera.turn_on()
        else:
            self._camera.turn_off()
        return replace(self._settings, recognition=value == "ON")

    def _set_model_width(self, value: str) -> Settings:
        model = _checked(self._model, "alpha", value)
        if not any(math.isclose(model.alpha, width) for width in self.model_widths):
            choice = ", ".join(f"{width:g}" for width in self.model_widths)
            raise ModelError(f"there is no model of this width; choose {choice}")
        with quiet_stderr():
            new = open_classifier(model)
        if new.card.input != self._classifier.card.input:
            raise ModelError(
                f"{new.card.name} takes other crops than {self.model_name}; "
                "set model.alpha in the configuration and restart"
            )
        self._affect.use(new, averaged_temperature=new.card.averaged_temperature)
        self._classifier, self._model = new, model
        return replace(self._settings, model_width=new.card.alpha)

    def _set_min_confidence(self, value: str) -> Settings:
        self._use(_checked(self._tracking, "min_confidence", value))
        return replace(self._settings, min_confidence=self._tracking.min_confidence)

    def _set_smoothing(self, value: str) -> Settings:
        self._use(_checked(self._tracking, "smoothing_s", value))
        return replace(self._settings, smoothing=self._tracking.smoothing_s)

    def _use(self, tracking: TrackingConfig) -> None:
        self._smoother.configure(tracking)
        self._tracking = tracking


def _checked(section: T, field: str, value: str) -> T:
    """The section with another value of `field`, which the configuration's own rules must allow."""
    values: dict[str, Any] = section.model_dump()
    return type(section).model_validate({**values, field: value})
