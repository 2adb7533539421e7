"""Face detectors: a picture in, boxes in pixels of the full frame out."""

from typing import assert_never

from fer_edge.config import DetectorConfig
from fer_edge.types import Detector

__all__ = ["open_detector"]


def open_detector(config: DetectorConfig) -> Detector:
    """The detector that `config` names.

    Raises:
        ConfigError: it cannot be set up as configured.
    """
    match config.type:
        case "viola_jones":
            from fer_edge.vision.detectors.viola_jones import ViolaJones

            detector = ViolaJones(config)
            if not config.verify:
                return detector
            from fer_edge.vision.detectors.verified import Verified

            return Verified(detector)
        case "yunet":
            from fer_edge.vision.detectors.yunet import YuNet

            return YuNet(config)
        case "centerface":
            from fer_edge.vision.detectors.centerface import CenterFace

            return CenterFace(config)
        case unknown:
            assert_never(unknown)
