"""What was measured, on what, as Markdown."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from fer_edge.system.board import read_board


@dataclass(frozen=True)
class Spread:
    """Middle, and lowest and highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        ordered = sorted(values)
        middle = len(ordered) // 2
        odd = len(ordered) % 2
        median = ordered[middle] if odd else (ordered[middle - 1] + ordered[middle]) / 2
        return cls(median, ordered[0], ordered[-1])

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.low:.1f}–{self.high:.1f})"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown; the first column to the left, the others to the right."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def machine() -> str:
    """One line: the board, the versions, and how busy it is with other things."""
    board = read_board()
    versions = ", ".join(
        version for name in ("opencv", "interpreter") if (version := board.libraries.get(name))
    )
    name = board.model or board.processor or "this machine"
    load = os.getloadavg()[0]
    return (
        f"{name}, {board.cores} cores; {versions}; OpenCV on {cv2.getNumThreads()} threads; "
        f"load average {load:.1f}"
    )
