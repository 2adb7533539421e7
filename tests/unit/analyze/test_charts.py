import re
from itertools import pairwise

import numpy as np
import pytest

from fer_edge.analyze._reduce import COLUMNS, GAP_S, means, peaks, runs, stretches
from fer_edge.analyze._report import report
from fer_edge.analyze._series import MAX_THUMBNAILS, Series, Summary
from fer_edge.analyze._svg import affect_over_time, circumplex, clock, emotions_over_time
from fer_edge.modelcard import find_card, models_dir
from fer_edge.types import EMOTIONS, Affect, Box, Emotion, Face, Track


@pytest.fixture
def series(stamp_at):
    """A face that is neutral, then happy, then gone for a while, then unclear."""

    def make(times, emotion_at=lambda t: Emotion.NEUTRAL if t < 1 else Emotion.HAPPY):
        one = Series(1)
        for time_s in times:
            emotion = emotion_at(time_s)
            probabilities = np.full(8, 0.05, np.float32)
            probabilities[0 if emotion is None else EMOTIONS.index(emotion)] = 0.65
            track = Track(1, Box(0, 0, 9, 9), stamp_at(0).captured_at)
            affect = Affect(probabilities, time_s / 10, -time_s / 10)
            one.add(time_s, Face(track, emotion, 0.65, affect))
        return one

    return make


def test_time_for_people():
    assert [clock(s) for s in (0, 4.25, 59.9, 67, 3725)] == [
        "0.0 s",
        "4.2 s",
        "59.9 s",
        "1:07",
        "1:02:05",
    ]


def test_a_stretch_for_each_emotion(series):
    table = series(np.arange(0, 2, 0.1)).table()
    chart = emotions_over_time(table, (0, 2))
    assert chart.count("<rect") == 2
    assert "neutral, 0.0 s to 1.0 s" in chart
    assert "happy, 1.0 s to 1.9 s" in chart


def test_a_face_that_was_away_leaves_a_gap(series):
    whole = series(np.arange(0, 4, 0.1)).table()
    away = series([*np.arange(0, 1, 0.1), *np.arange(1 + 2 * GAP_S, 4, 0.1)]).table()
    assert lines(affect_over_time(whole, (0, 4)), "valence") == 1
    assert lines(affect_over_time(away, (0, 4)), "valence") == 2
    assert lines(circumplex(away), "valence") > lines(circumplex(whole), "valence")


def lines(chart, name):
    """In how many pieces this line is."""
    return sum(path.count("M") for path in re.findall(rf"d='([^']*)'[^>]*var\(--{name}\)", chart))


def outline(path):
    """Its points: a path is a point and the steps from there."""
    start, _, steps = path.strip("MZ").partition("l")
    pairs = [[float(value) for value in point.split(",")] for point in [start, *steps.split()]]
    return np.cumsum(pairs, axis=0)


def test_uncertain_is_a_stretch_of_its_own(series):
    table = series(np.arange(0, 2, 0.1), lambda _: None).table()
    assert "uncertain, 0.0 s to 1.9 s" in emotions_over_time(table, (0, 2))


@pytest.mark.parametrize("count", [1, 2])
def test_a_face_of_a_frame_or_two_has_charts(series, count):
    table = series([0.1 * n for n in range(count)]).table()
    for chart in (
        emotions_over_time(table, (0, 1)),
        affect_over_time(table, (0, 1)),
        circumplex(table),
    ):
        assert "nan" not in chart
        assert "inf" not in chart


HOUR = (0.0, 3600.0)


@pytest.fixture(scope="module")
def card():
    return find_card(models_dir(), 0.25, "int8")


@pytest.fixture(scope="module")
def restless():
    """An hour of a face that changes its emotion every 0.4 s, with all that varies."""
    noise = np.random.default_rng(1)
    times = np.arange(0, HOUR[1], 0.04)
    numbers = np.repeat(noise.integers(-1, 8, len(times) // 10), 10)
    affect = noise.uniform(-1, 1, (len(times), 2))
    return np.column_stack([times, affect, numbers, noise.dirichlet(np.ones(8), len(times))])


def test_a_report_of_an_hour_is_no_larger_than_its_charts_hold(restless, card):
    summary = Summary("long.mp4", still=False, end_s=HOUR[1])
    for number in range(1, 5):
        summary.faces[number] = Series(number)
        summary.faces[number].values.frombytes(restless.tobytes())
    page = report([summary], card)
    assert len(page) < 1_000_000, "given: 8.2 million"
    assert "one shown longest is drawn" in page


def test_nothing_is_said_of_merging_where_nothing_was(series, card):
    one = series(np.arange(0, 2, 0.1))
    summary = Summary("short.mp4", still=False, end_s=2.0, faces={1: one})
    assert "one shown longest is drawn" not in report([summary], card)


def test_stretches_below_a_column_are_merged(restless):
    merged = stretches(restless, HOUR)
    assert len(merged) <= 2 * COLUMNS
    assert all(one.merged for one in merged)
    assert all(one.end == other.begin for one, other in pairwise(merged)), "nothing is left out"


def test_of_a_column_what_was_shown_longest_is_kept(series):
    def emotion(time_s):
        if time_s < 1000:
            return Emotion.NEUTRAL
        return Emotion.FEAR if time_s % 1 < 0.65 else Emotion.SAD

    table = series(np.arange(0, 2000, 0.1), emotion).table()
    first, *rest = stretches(table, (0, 2000))
    assert (first.begin, first.number, first.merged) == (0, 0, False), "what is long stays exact"
    assert first.end == pytest.approx(1000)
    assert {one.number for one in rest} == {EMOTIONS.index(Emotion.FEAR)}
    assert len(rest) < 3, "and neighbours alike are one"


def test_a_moments_visit_is_still_to_be_seen(series):
    table = series([*np.arange(100, 100.3, 0.1), *np.arange(3000, 3000.3, 0.1)]).table()
    assert [one.begin for one in stretches(table, HOUR)] == [100, 3000]
    chart = emotions_over_time(table, HOUR)
    assert all(float(width) >= 1 for width in re.findall(r" width='([\d.]+)'", chart))
    areas = re.findall(r"(M[^MZ]*)Z", chart)
    assert len(areas) == 2 * len(EMOTIONS)
    assert all(np.ptp(outline(area)[:, 0]) >= 0.9 for area in areas)


def test_peaks_stay_and_means_are_few(restless):
    table = restless.copy()
    table[40_000, 1], table[50_000, 2] = 3.0, -4.0
    (run,) = runs(table, HOUR)
    assert len(means(run, HOUR)) <= COLUMNS
    for field in (1, 2):
        kept = peaks(run, HOUR, field)
        assert len(kept) <= 2 * COLUMNS + 2
        assert (np.diff(kept[:, 0]) > 0).all()
        assert kept[:, field].max() == table[:, field].max()
        assert kept[:, field].min() == table[:, field].min()


def test_a_face_that_comes_and_goes_all_the_time_has_few_lines(series):
    times = np.arange(0, 3600, 0.1)
    table = series(times[times % 2 < 1]).table()
    assert len(runs(table, HOUR)) == 1, "a gap that is narrower than a column is none"
    table = series(times[times % 20 < 1]).table()
    assert len(runs(table, HOUR)) == 180


def test_stacked_probabilities_fill_the_height(series):
    chart = emotions_over_time(series([0.0, 0.1]).table(), (0, 1))
    areas = [outline(path) for path in re.findall(r"d='(M[^M]*)Z' fill", chart)]
    assert len(areas) == len(EMOTIONS)
    assert areas[0][:, 1].max() == 130
    assert areas[-1][:, 1].min() == pytest.approx(0)
    for below, above in pairwise(areas):
        assert below[:, 1].min() == pytest.approx(above[:, 1].max())


def test_thumbnails_stay_few_and_spread_evenly(series):
    one = series([0.0])
    for step in range(3000):
        if one.wants_thumbnail(step / 30):
            one.add_thumbnail(step / 30, b"jpeg")
    times = [at for at, _ in one.thumbnails]
    assert MAX_THUMBNAILS / 2 - 1 <= len(times) <= MAX_THUMBNAILS
    assert np.ptp(np.diff(times)) < 0.05 * np.diff(times).max()
    assert times[-1] > 80


def test_the_main_emotion_is_the_most_frequent(series):
    assert series(np.arange(0, 3, 0.1)).main_emotion() is Emotion.HAPPY
    assert series(np.arange(0, 3, 0.1), lambda _: None).main_emotion() is None
