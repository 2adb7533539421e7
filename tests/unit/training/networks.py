"""Networks that are compared in several tests."""

import numpy as np
import torch

from fer_edge.training.network import Weights, forward, forward_folded, random_weights, tensors


def used_weights(alpha: float, channels: int = 1) -> Weights:
    """Weights whose normalisations are those of no new network."""
    rng = np.random.default_rng(7)
    weights = random_weights(alpha, channels, rng)
    return {
        name: array if name.endswith("kernel") else rng.uniform(0.5, 1.5, array.shape).astype("f4")
        for name, array in weights.items()
    }


def said(weights: Weights, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and the plane, of folded weights or others."""
    ask = forward if "top_bn/gamma" in weights else forward_folded
    with torch.no_grad():
        logits, plane = ask(tensors(weights), torch.tensor(pictures))
    return logits.softmax(1).numpy(), plane.numpy()


def agreement(one: Weights, other: Weights, pictures: np.ndarray) -> float:
    """The least correlation of the outputs of two networks."""
    pairs = zip(said(one, pictures), said(other, pictures), strict=True)
    return min(np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs)
