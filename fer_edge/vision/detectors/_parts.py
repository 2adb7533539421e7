"""A search over several frames: which sizes of face each of its parts looks for."""

from itertools import groupby

PARTS = 5
"""Parts of a search, each some fifth of its cost.

More do not help, for the smallest faces alone take about as long as a part (docs/experiments.md). At 30
frames a second five parts take a sixth of a second."""

COST_POWER = -1.5
"""How the cost of a size goes down with it; more steeply where a known face is blanked."""


def window_sizes(window: int, smallest: int, largest: int, factor: float) -> list[int]:
    """Sides in pixels that OpenCV's cascade of this `window` looks for, stepping by `factor`."""
    sizes = []
    scale = 1.0
    while (side := round(window * scale)) <= largest:
        if side >= smallest:
            sizes.append(side)
        scale *= factor
    return sizes


DENSE_COST = 3.0
"""What a size costs more than the next smaller one from twice the window on: OpenCV then looks at every
pixel instead of every other one."""


def share(sizes: list[int], window: int) -> list[tuple[int, int]]:
    """Smallest and largest size of each part, at most `PARTS`, of about the same cost each."""
    costs = [size**COST_POWER * (DENSE_COST if size > 2 * window else 1.0) for size in sizes]
    total = sum(costs)
    numbered = [
        (int(PARTS * (sum(costs[:index]) + cost / 2) / total), size)
        for index, (size, cost) in enumerate(zip(sizes, costs, strict=True))
    ]
    parts = [[size for _, size in group] for _, group in groupby(numbered, key=lambda one: one[0])]
    return [(part[0], part[-1]) for part in parts]
