"""`fer-edge bench`: what this machine can do."""

from fer_edge.bench._measure import THESIS, Run, Timing, measure
from fer_edge.bench._report import bench

__all__ = ["THESIS", "Run", "Timing", "bench", "measure"]
