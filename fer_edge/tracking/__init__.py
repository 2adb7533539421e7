"""From detections, frame by frame, to faces with an id and steady readings. Pure: no threads."""

from fer_edge.tracking._smoother import Smoother
from fer_edge.tracking._tracker import Tracker

__all__ = ["Smoother", "Tracker"]
