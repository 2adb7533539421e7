"""`benchmarks/arm64`: instructions a frame on a Cortex-A72, by stage, counted while QEMU emulates one.

One followed face of the demo, 1080p, 30 frames a second with a search every second, everything from the
picture to the message's bytes, in one thread. Rendering and loading do not count.
"""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from measure.arm64.emulate import Count, emulator
from measure.arm64.stages import LABELS
from measure.report import table

GOLDEN = Path(__file__).with_name("golden.json")
SLACK = 0.02
"""A golden figure may be exceeded by this share."""
ROOT = "FER_EDGE_ARM64_ROOT"
ALPHAS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.4)
FRAMES = (40, 180)
"""The first is quick; in the second, six searches differ: planes and sizes are searched in turn."""


def name_of(detector: str, alpha: float, precision: str, picture: str, frames: int) -> str:
    """How a figure is called in the golden file."""
    return f"{detector}, {alpha:g} {precision}, {picture}, {frames} frames"


def table_of(counts: Mapping[str, Count]) -> str:
    """Millions of instructions a frame, by stage."""
    header = ("detector, α and precision, picture, frames", *LABELS.values(), "**all**")
    rows = []
    for name, count in counts.items():
        figures = [count.stage(stage) for stage in LABELS]
        cells = [f"{figure / 1e6:.2f}" if figure else "" for figure in figures]
        rows.append((name, *cells, f"**{count.total / 1e6:.2f}**"))
    return table(header, rows)


def shares_of(counts: Mapping[str, Count]) -> str:
    """Whose code they ran in."""
    owners = list(dict.fromkeys(owner for count in counts.values() for owner in count.shares()))
    rows = [
        (name, *(f"{shares.get(owner, 0.0):.0%}" for owner in owners))
        for name, shares in ((name, count.shares()) for name, count in counts.items())
    ]
    return table(("share of", *owners), rows)


def check(counts: Mapping[str, float], golden: Mapping[str, float]) -> list[str]:
    """A line for each figure that is more than 2 % above the golden one, or has none."""
    said = []
    for name, count in counts.items():
        before = golden.get(name)
        if before is None:
            said.append(f"{name}: no golden figure; --write adds it")
        elif count > before * (1 + SLACK):
            more = count / before - 1
            said.append(f"{name}: {count / 1e6:.2f} M, {more:.1%} more than {before / 1e6:.2f} M")
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, print tables, and end with 1 if a figure has grown."""
    options = _parse(arguments)
    counts: dict[str, Count] = {}
    with emulator(options.root) as made:
        choices = (options.picture, options.frames, options.precision, options.alpha)
        for picture, frames, precision, alpha in itertools.product(*choices):
            config = {
                "model": {"alpha": alpha, "precision": precision},
                "detector": {"type": options.detector},
            }
            count = made.count(config, picture=picture, frames=frames)
            name = name_of(options.detector, alpha, precision, picture, frames)
            counts[name] = count
            print(f"{name}: {count.total / 1e6:.2f} M", file=sys.stderr, flush=True)
    versions = next(iter(counts.values())).versions
    print("Cortex-A72, emulated; " + ", ".join(f"{k} {v}" for k, v in versions.items()))
    print("Millions of instructions a frame with one face:\n")
    print(table_of(counts) + "\n")
    print(shares_of(counts))
    return _settle(options, {name: count.total for name, count in counts.items()}, versions)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/arm64", description=__doc__)
    root = os.environ.get(ROOT)
    parser.add_argument(
        "--root",
        type=Path,
        default=None if root is None else Path(root),
        help=f"folder with an arm64 Debian (README.md says how it is made); {ROOT} when not given",
    )
    parser.add_argument("--alpha", type=float, nargs="+", default=[0.25], metavar="α")
    parser.add_argument("--precision", nargs="+", default=["int8"], choices=("int8", "float32"))
    parser.add_argument("--picture", nargs="+", default=["luma"], choices=("luma", "jpeg"))
    parser.add_argument("--detector", default="viola_jones")
    parser.add_argument("--all", action="store_true", help="every α and precision, a minute each")
    parser.add_argument(
        "--frames", type=int, nargs="+", default=FRAMES, metavar="N", help="how many count"
    )
    parser.add_argument(
        "--check", action="store_true", help="fail where a golden figure is exceeded"
    )
    parser.add_argument("--write", action="store_true", help="make these figures the golden ones")
    options = parser.parse_args(arguments)
    if options.root is None:
        parser.error(f"name the arm64 system by --root or {ROOT}")
    options.root = options.root.resolve()
    if options.all:
        options.alpha, options.precision = list(ALPHAS), ["int8", "float32"]
    return options


def _settle(
    options: argparse.Namespace, totals: Mapping[str, float], versions: Mapping[str, str]
) -> int:
    """Compare with the golden file, or write it."""
    stored = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {"instructions": {}}
    if options.check:
        if stored["versions"] != versions:
            print(f"\nThe golden figures were made with {stored['versions']}")
        said = check(totals, stored["instructions"])
        print("\n" + ("\n".join(said) or "No figure is more than 2 % above the golden one."))
        return int(bool(said))
    if options.write:
        merged = {**stored["instructions"], **{name: round(n) for name, n in totals.items()}}
        text = json.dumps({"versions": versions, "instructions": merged}, indent=2)
        GOLDEN.write_text(text + "\n")
    return 0
