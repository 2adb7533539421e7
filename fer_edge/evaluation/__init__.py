"""`fer-edge evaluate`: how good a model file is.

It runs the TFLite file itself, on an ordinary install; training measures by the same code.
"""

from fer_edge.evaluation.command import evaluate, evaluate_robust

__all__ = ["evaluate", "evaluate_robust"]
