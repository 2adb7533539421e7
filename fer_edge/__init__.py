"""fer-edge: faces in front of a camera become emotion, valence and arousal, on the device."""

__version__ = "0.1.0"
