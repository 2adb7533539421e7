"""The application of the thesis, rebuilt, to be measured against."""

from reference.application import MIN_SIZE, SCALE_FACTOR, Application, Inference

__all__ = ["MIN_SIZE", "SCALE_FACTOR", "Application", "Inference"]
