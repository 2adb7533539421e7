"""`fer-edge analyze`: recordings to tables, an annotated video and a report."""

from fer_edge.analyze._run import Options, analyze

__all__ = ["Options", "analyze"]
