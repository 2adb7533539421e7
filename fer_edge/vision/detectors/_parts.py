"""A search over several frames: which sizes of face each of its parts looks for."""

from itertools import groupby

PARTS = 5
"""Parts of a search, each some fifth of its cost.

Measured on the demo (640×360, one face known; processor time, two x86 cores): the whole search in
one frame 17.0 ms; the costliest of three parts 6.4 ms, of four 5.6, of five 4.0. More do not help,
for the smallest faces alone take 3.4 ms. At 30 frames a second five parts take a sixth of a second."""

COST_POWER = -1.5
"""How the cost of a size goes down with it: 4.45, 3.90, 3.66, 3.03, 2.23, 1.96, 1.24 … ms for windows
of 50, 60, 72, 86, 103, 124, 149 … px, more steeply where the face is blanked."""


def window_sizes(window: int, smallest: int, largest: int, factor: float) -> list[int]:
    """Sides in pixels that OpenCV's cascade of this `window` looks for, stepping by `factor`."""
    sizes = []
    scale = 1.0
    while (side := round(window * scale)) <= largest:
        if side >= smallest:
            sizes.append(side)
        scale *= factor
    return sizes


def share(sizes: list[int]) -> list[tuple[int, int]]:
    """Smallest and largest size of each part, at most `PARTS`, of about the same cost each."""
    costs = [size**COST_POWER for size in sizes]
    total = sum(costs)
    numbered = [
        (int(PARTS * (sum(costs[:index]) + cost / 2) / total), size)
        for index, (size, cost) in enumerate(zip(sizes, costs, strict=True))
    ]
    parts = [[size for _, size in group] for _, group in groupby(numbered, key=lambda one: one[0])]
    return [(part[0], part[-1]) for part in parts]
