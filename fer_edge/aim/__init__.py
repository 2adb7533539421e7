"""`fer-edge aim`: what the camera sees, in a terminal, while somebody points it."""

from fer_edge.aim._run import aim

__all__ = ["aim"]
