"""From face crops to probabilities, valence and arousal."""

from fer_edge.affect.tflite import Classifier, open_classifier

__all__ = ["Classifier", "open_classifier"]
