"""What was promised, and the table of what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from measure.wild.found import Answer, share_found, share_right


@dataclass(frozen=True)
class Targets:
    """Least values for one detector; tilts 0, 15, 30 and 45 degrees."""

    close: tuple[float, ...]
    whole: tuple[float, ...]
    read: tuple[float, ...]
    """Read as labelled of those found, at 15, 30 and 45 degrees, upright = 1."""
    dark: float
    far: float
    """Faces 70 px wide."""
    kept: float
    still: float = 0.95
    sitting: float = 0.98
    false_tracks: int = 1
    """In ten minutes, at the most."""


TARGETS = {
    "viola_jones": Targets(
        close=(0.92, 0.90, 0.85, 0.70),
        whole=(0.98, 0.97, 0.95, 0.90),
        read=(0.97, 0.93, 0.88),
        dark=0.95,
        far=0.90,
        kept=0.95,
    ),
    "yunet": Targets(
        close=(0.95, 0.93, 0.88, 0.75),
        whole=(0.99, 0.99, 0.97, 0.95),
        read=(0.99, 0.97, 0.92),
        dark=0.97,
        far=0.97,
        kept=0.99,
    ),
}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    target: str = ""
    passed: bool | None = None
    """None: nothing was promised, or it cannot be measured."""

    def cells(self) -> tuple[str, ...]:
        """For the table."""
        return (
            self.what,
            self.measured,
            self.target,
            {True: "pass", False: "**miss**", None: ""}[self.passed],
        )


def at_least(what: str, share: float, count: str, target: float | None) -> Row:
    """A share that must not be smaller."""
    measured = f"{share:.2f} ({count})"
    if target is None:
        return Row(what, measured)
    return Row(what, measured, f"≥ {target:.2f}", share >= target)


def found_row(kind: str, name: str, answers: Sequence[Answer], targets: Targets | None) -> Row:
    """How many were found."""
    count = f"{sum(one.found for one in answers)} of {len(answers)}"
    target = None if targets is None else _found_target(kind, name, targets)
    return at_least(f"found, {kind}, {name}", share_found(answers), count, target)


def _found_target(kind: str, name: str, targets: Targets) -> float | None:
    tilted = targets.close if kind == "close" else targets.whole
    wanted: dict[str, float] = {f"tilt {15 * i}°": target for i, target in enumerate(tilted)}
    wanted["light × .12, noise"] = targets.dark
    wanted["70 px wide"] = targets.far
    return wanted.get(name)


def read_rows(close: Mapping[str, Sequence[Answer]], targets: Targets | None) -> list[Row]:
    """Read as labelled, of those found, against upright; `close` by condition."""
    upright = share_right(close.get("tilt 0°", ()))
    rows = []
    for name, answers in close.items():
        share = share_right(answers)
        if not upright or share is None:
            continue
        found = sum(one.found for one in answers)
        if name == "tilt 0°":
            rows.append(
                Row(f"read as labelled, of those found, {name}", f"{share:.2f} (of {found})")
            )
            continue
        tilts = ("tilt 15°", "tilt 30°", "tilt 45°")
        target = targets.read[tilts.index(name)] if targets and name in tilts else None
        count = f"{share:.2f} of {found}"
        rows.append(at_least(f"the same against upright, {name}", share / upright, count, target))
    return rows
