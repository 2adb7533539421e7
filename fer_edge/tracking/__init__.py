"""From detections, frame by frame, to faces with an id and steady readings. Pure: no threads."""

from fer_edge.tracking._plan import SearchPlan, Watch
from fer_edge.tracking._smoother import Smoother
from fer_edge.tracking._tracker import Tracker
from fer_edge.tracking._turns import Turns

__all__ = ["SearchPlan", "Smoother", "Tracker", "Turns", "Watch"]
