"""docs/faults.md has a row for every fault; the soak's figures find what grows, and nothing else."""

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "faults")]

from command import BEGIN, DOCUMENT, END, name_in  # noqa: E402 - found by the path above
from fault import all_faults  # noqa: E402
from soak_figures import Sample, judge  # noqa: E402


def test_the_table_has_a_row_for_every_fault():
    table = DOCUMENT.read_text("utf-8").split(f"{BEGIN}\n")[1].split(END)[0]
    rows = [name_in(row) for row in table.splitlines()[2:]]
    assert rows == [f"{one.room}: {one.name}" for one in all_faults()]


def test_the_picture_is_there_and_small():
    assert "(soak.png)" in DOCUMENT.read_text("utf-8")
    assert 5_000 < DOCUMENT.with_name("soak.png").stat().st_size < 100_000


def run(minutes, mb_per_h=0.0, last_ms=20.0):
    """Samples of a soak, with the noise of a real one."""
    chance = random.Random(1)
    return [
        Sample(
            seconds=seconds,
            rss_mb=110 + mb_per_h * seconds / 3600 + chance.gauss(0, 0.1),
            threads=9,
            descriptors=10,
            cpu_share=0.2,
            p95_ms=20.0,
            latency_ms=(20.0 if seconds < minutes * 30 else last_ms) + chance.gauss(0, 1),
            fault="broker: killed" if seconds % 40 < 15 else "",
        )
        for seconds in range(5, minutes * 60, 5)
    ]


@pytest.mark.parametrize("minutes", [5, 30])
def test_a_steady_run_is_good(minutes):
    verdict = judge(run(minutes))
    assert verdict.wrong == ()
    assert verdict.slope_mb_per_h[1] < 0.5


def test_faults_themselves_do_not_count():
    samples = [replace(one, threads=9 + bool(one.fault)) for one in run(30)]
    assert judge(samples).wrong == ()


def test_a_leak_of_a_few_megabytes_an_hour_is_found():
    (wrong,) = judge(run(30, mb_per_h=4)).wrong
    assert wrong.startswith("RSS rises by")


def test_later_faces_are_found():
    (wrong,) = judge(run(30, last_ms=25)).wrong
    assert wrong.startswith("p95 latency rose to 1.2")


@pytest.mark.parametrize("name", ["threads", "descriptors"])
def test_one_that_is_left_over_is_found(name):
    samples = run(5)
    half = len(samples) // 2
    more = [replace(one, **{name: getattr(one, name) + 1}) for one in samples[half:]]
    (wrong,) = judge([*samples[:half], *more]).wrong
    assert wrong.startswith(f"{name} grew")


def test_too_short_a_run_says_so():
    with pytest.raises(ValueError, match="take more minutes"):
        judge(run(5)[:8])
