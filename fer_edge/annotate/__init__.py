"""One's own test set: people label faces on a page, and their answers become a data set."""

from fer_edge.annotate._agreement import agreement
from fer_edge.annotate._run import annotate

__all__ = ["agreement", "annotate"]
