"""`benchmarks/compare`: how many times the reference's throughput."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from measure import report
from measure.widths import ALPHAS

if TYPE_CHECKING:
    from measure.ratios import Pair


TARGETS = {(0.25, "predict"): 25, (0.25, "tf.function"): 10, (1.4, "predict"): 20}
TARGETS[1.4, "tf.function"] = 10
"""Least ratio with one face."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/compare", description=__doc__)
    parser.add_argument(
        "--alpha", type=float, nargs="+", choices=ALPHAS, help="default: every width"
    )
    parser.add_argument("--faces", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--plot", type=Path, help="write a picture of the ratios (matplotlib)")
    options = parser.parse_args()
    try:
        import tensorflow as tf
    except ModuleNotFoundError:
        parser.error("the reference needs TensorFlow: pip install -e '.[train]'")
    from measure.ratios import Inference, compare

    print(f"{report.machine()}; TensorFlow {tf.__version__}\n")
    pairs = []
    for alpha in options.alpha or ALPHAS:
        pairs += compare(alpha, list(Inference), options.faces, rounds=options.rounds)
    print(report.table(HEADER, [row(pair) for pair in pairs]))
    print("\n" + bars(pairs))
    if options.plot:
        from measure.plot import draw

        draw(pairs, options.plot)
    failed = [pair for pair in pairs if verdict(pair) == "FAIL"]
    return 1 if failed else 0


HEADER = (
    "α",
    "reference",
    "faces",
    "reference, ms a frame",
    "fer-edge, ms a frame",
    "throughput, ×",
    "processor time, ×",
    "faces found, reference / fer-edge",
    "target",
)


def row(pair: "Pair") -> tuple[object, ...]:
    return (
        f"{pair.alpha:g}",
        pair.inference,
        pair.faces,
        pair.reference_ms,
        f"{pair.daemon_ms.median:.2f} ({pair.daemon_ms.low:.2f}–{pair.daemon_ms.high:.2f})",
        pair.throughput,
        pair.processor,
        f"{pair.reference_faces:.2f} / {pair.daemon_faces:.2f}",
        verdict(pair),
    )


BAR_WIDTH = 50


def bars(pairs: "list[Pair]") -> str:
    """The throughput ratios as a plot of characters, the longest bar `BAR_WIDTH` wide."""
    highest = max(pair.throughput.median for pair in pairs)
    lines = []
    for pair in pairs:
        ratio = pair.throughput.median
        name = f"α {pair.alpha:g}, {pair.faces} face{'s' * (pair.faces > 1)}, {pair.inference}"
        lines.append((name, f"{'█' * max(1, round(BAR_WIDTH * ratio / highest))} {ratio:.1f} ×"))
    width = max(len(name) for name, _ in lines)
    return "\n".join(["```", *(f"{name:<{width}} {bar}" for name, bar in lines), "```"])


def verdict(pair: "Pair") -> str:
    target = TARGETS.get((pair.alpha, str(pair.inference)))
    if target is None or pair.faces != 1:
        return ""
    return f"≥ {target}: pass" if pair.throughput.median >= target else "FAIL"


if __name__ == "__main__":
    sys.exit(main())
