"""What the samples of a soak say: slopes, growth, latency."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import theilslopes

WARM_SHARE = 0.2
"""Of the run, not looked at: buffers and caches fill."""
SLOPE_MB_PER_H = 1.0
STEP_MB = 3.0
"""An allocator takes memory in steps: a short run may rise by this much, whatever its slope."""
SHORT_H = 0.39
"""Half an hour, less its first fifth."""
LATER = 1.10
SPANS = 2000


@dataclass(frozen=True)
class Sample:
    """How the daemon was at one moment."""

    seconds: float
    rss_mb: float
    threads: int
    descriptors: int
    cpu_share: float
    """Of one core, since the sample before."""
    p95_ms: float
    """As the last `diagnostics` says, of the last 1000 results; 0 before the first."""
    latency_ms: float
    """95th percentile of the `faces` messages since the sample before; 0 without any."""
    fault: str
    """The fault that is on, or from which it has just healed; empty in between."""


@dataclass(frozen=True)
class Verdict:
    """The figures, and what is wrong with them."""

    slope_mb_per_h: tuple[float, float, float]
    """Theil-Sen's slope of RSS, and the ends of its 95 % interval."""
    latency_ratio: tuple[float, float, float]
    """Median p95 of the last third by that of the first, and the ends of its 95 % interval."""
    wrong: tuple[str, ...]


def judge(samples: Sequence[Sample]) -> Verdict:
    """Look at a whole run.

    Raises:
        ValueError: too few samples between faults to say anything.
    """
    warm = [one for one in samples if one.seconds >= samples[-1].seconds * WARM_SHARE]
    calm = [one for one in warm if not one.fault]
    if len(calm) < 6:
        raise ValueError(f"only {len(calm)} samples between faults; take more minutes")
    slope = _slope(calm)
    hours = (samples[-1].seconds - warm[0].seconds) / 3600
    ratio = _later(calm)
    third = max(1, len(calm) // 3)
    wrong = []
    risen = slope[0] * hours
    if slope[1] > SLOPE_MB_PER_H and (risen > STEP_MB or hours >= SHORT_H):
        wrong.append(f"RSS rises by {slope[0]:.1f} MB an hour ({slope[1]:.1f} to {slope[2]:.1f})")
    for name in ("threads", "descriptors"):
        first, last = (
            np.median([getattr(one, name) for one in part])
            for part in (calm[:third], calm[-third:])
        )
        if last > first:
            wrong.append(f"{name} grew from {first:.0f} to {last:.0f}")
    if ratio[1] > LATER:
        wrong.append(f"p95 latency rose to {ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f})")
    return Verdict(slope, ratio, tuple(wrong))


def _slope(samples: Sequence[Sample]) -> tuple[float, float, float]:
    hours = [one.seconds / 3600 for one in samples]
    found = theilslopes([one.rss_mb for one in samples], hours, 0.95)
    return float(found.slope), float(found.low_slope), float(found.high_slope)


def _later(samples: Sequence[Sample]) -> tuple[float, float, float]:
    """Last third by first third, with a bootstrap over samples."""
    values = [one.latency_ms for one in samples if one.latency_ms]
    third = max(1, len(values) // 3)
    first, last = np.array(values[:third]), np.array(values[-third:])
    random = np.random.default_rng(0)
    ratios = [
        np.median(random.choice(last, last.size)) / np.median(random.choice(first, first.size))
        for _ in range(SPANS)
    ]
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(np.median(last) / np.median(first)), float(low), float(high)
