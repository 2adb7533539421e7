"""`benchmarks/stages`: every step alone, and the table of targets."""

import argparse

from measure import report, targets
from measure.frames import clip


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/stages", description=__doc__)
    parser.add_argument("--alpha", type=float, default=0.25, help="of the table of steps")
    parser.add_argument("--rounds", type=int, default=7, help="of every measurement")
    parser.add_argument("--minutes", type=float, default=0.5, help="of the MJPEG stream")
    parser.add_argument("--steps-only", action="store_true", help="without the targets")
    parser.add_argument("--targets-only", action="store_true", help="without the steps")
    options = parser.parse_args()
    print(report.machine() + "\n")
    if not options.targets_only:
        print(_steps(options.alpha, options.rounds) + "\n")
    if options.steps_only:
        return 0
    rows = [
        *targets.throughput(0.25, options.rounds),
        *targets.throughput(1.4, options.rounds),
        *targets.processor_time(300),
        *targets.quality(),
        *targets.process(options.minutes, idle_s=10, starts=5),
    ]
    header = ("target", "promised", "measured", "verdict")
    print(report.table(header, [row.cells() for row in rows]))
    return 1 if any(row.passed is False for row in rows) else 0


def _steps(alpha: float, rounds: int) -> str:
    from measure.steps import measure, steps

    frames = clip(1)
    rows = []
    for timed in measure(steps(frames, alpha), len(frames.colour), rounds):
        before, ratio = "", ""
        if timed.before:
            before = f"{timed.step.before_name}: {_ms(timed.before)}"
            ratio = f"{timed.before.median / max(timed.now.median, 1e-3):.1f} ×"
        rows.append((timed.step.name, _ms(timed.now), before, ratio))
    return report.table(("step", "ms now", "before, ms", "ratio"), rows)


def _ms(spread: report.Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"
