import numpy as np
import pytest

from fer_edge.analyze._series import MAX_THUMBNAILS, Series
from fer_edge.analyze._svg import GAP_S, affect_over_time, circumplex, clock, emotions_over_time
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
    assert affect_over_time(whole, (0, 4)).count("<polyline") == 2
    assert affect_over_time(away, (0, 4)).count("<polyline") == 4


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


def test_an_hour_is_averaged_down(series):
    table = series(np.arange(0, 3600, 0.04)).table()
    assert len(emotions_over_time(table, (0, 3600))) < 200_000
    assert len(circumplex(table)) < 50_000


def test_stacked_probabilities_fill_the_height(series):
    chart = emotions_over_time(series([0.0, 0.1]).table(), (0, 1))
    top = chart.split("fill='var(--contempt)'", maxsplit=1)[0].rsplit("points='", 1)[1]
    assert ",0 " in top


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
