"""From face crops to probabilities, valence and arousal."""

from fer_edge.affect._open import open_classifier
from fer_edge.affect.tflite import Classifier

__all__ = ["Classifier", "open_classifier"]
