from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_edge.affect.smoother import Smoother
from fer_edge.config import TrackingConfig
from fer_edge.types import EMOTIONS, Affect, Box, Emotion, Track

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def track(number=1, side=100.0):
    return Track(number, Box(0, 0, side, side), SINCE)


def reading(valence=0.0, arousal=0.0, **shares):
    values = np.array([shares.get(emotion.value, 0.0) for emotion in EMOTIONS], np.float32)
    rest = 1 - values.sum()
    values[values == 0] = rest / (values == 0).sum()
    return Affect(values, valence, arousal)


def run(smoother, stamp_at, readings, *, step_s=0.1):
    faces = [
        smoother.update([track()], [one], stamp_at(i * step_s)) for i, one in enumerate(readings)
    ]
    return [face for (face,) in faces]


@pytest.fixture
def smoother():
    return Smoother(TrackingConfig(smoothing_s=0.4, hysteresis=0.1, min_confidence=0.35))


def test_the_first_reading_is_shown_as_it_is(smoother, stamp_at):
    (face,) = run(smoother, stamp_at, [reading(happy=0.9, valence=0.5)])
    assert face.emotion is Emotion.HAPPY
    assert face.confidence == pytest.approx(0.9)
    assert face.affect.valence == 0.5


def test_a_step_is_followed_with_the_time_constant(smoother, stamp_at):
    readings = [reading(happy=0.9, valence=0.0)] + [reading(sad=0.9, valence=1.0)] * 4
    faces = run(smoother, stamp_at, readings)
    # After one time constant (4 steps of 0.1 s) an exponential has gone 63 % of the way.
    assert faces[-1].affect.valence == pytest.approx(1 - np.exp(-1), abs=1e-6)


def test_the_frame_rate_does_not_change_the_time_constant(stamp_at):
    config = TrackingConfig(smoothing_s=0.4)
    ends = []
    for step_s in (0.1, 0.02):
        readings = [reading(valence=0.0)] + [reading(valence=1.0)] * round(0.4 / step_s)
        faces = run(Smoother(config), stamp_at, readings, step_s=step_s)
        ends.append(faces[-1].affect.valence)
    assert ends[0] == pytest.approx(ends[1])


def test_probabilities_stay_a_distribution(smoother, stamp_at):
    readings = [reading(happy=0.8), reading(sad=0.7), reading(fear=0.9)] * 3
    for face in run(smoother, stamp_at, readings):
        assert face.affect.probabilities.sum() == pytest.approx(1)


def test_the_label_does_not_flicker_between_two_near_ones(smoother, stamp_at):
    readings = [reading(happy=0.48, neutral=0.44)]
    readings += [reading(happy=0.45, neutral=0.48), reading(happy=0.48, neutral=0.45)] * 10
    labels = {face.emotion for face in run(smoother, stamp_at, readings)}
    assert labels == {Emotion.HAPPY}


def test_a_clear_change_changes_the_label(smoother, stamp_at):
    readings = [reading(happy=0.9)] + [reading(anger=0.9)] * 20
    assert run(smoother, stamp_at, readings)[-1].emotion is Emotion.ANGER


def test_below_the_threshold_it_is_uncertain(smoother, stamp_at):
    faces = run(smoother, stamp_at, [reading(happy=0.3, neutral=0.2)])
    assert faces[0].emotion is None
    assert faces[0].confidence == pytest.approx(0.3)


def test_uncertain_does_not_blink_at_the_threshold(stamp_at):
    smoother = Smoother(TrackingConfig(smoothing_s=0, hysteresis=0.1, min_confidence=0.35))
    readings = [reading(happy=0.34)] + [reading(happy=0.36), reading(happy=0.34)] * 5
    labels = {face.emotion for face in run(smoother, stamp_at, readings)}
    assert labels == {None}


def test_the_largest_face_comes_first(smoother, stamp_at):
    tracks = [track(1, 50), track(2, 150), track(3, 100)]
    faces = smoother.update(tracks, [reading(happy=0.9)] * 3, stamp_at(0))
    assert [face.track.id for face in faces] == [2, 3, 1]


def test_a_face_that_left_is_forgotten(smoother, stamp_at):
    smoother.update([track(1)], [reading(valence=1.0)], stamp_at(0))
    smoother.update([], [], stamp_at(0.1))
    (face,) = smoother.update([track(1)], [reading(valence=-1.0)], stamp_at(0.2))
    assert face.affect.valence == -1.0


def test_results_are_read_only(smoother, stamp_at):
    faces = run(smoother, stamp_at, [reading(happy=0.9), reading(happy=0.8)])
    with pytest.raises(ValueError, match="read-only"):
        faces[1].affect.probabilities[0] = 1


def test_a_face_that_is_not_seen_keeps_what_it_showed(smoother, stamp_at):
    run(smoother, stamp_at, [reading(happy=0.9, valence=0.5), reading(anger=0.9, valence=-0.5)])
    shown = [
        smoother.update(
            [replace(track(), seen=False)], [reading(anger=0.9)], stamp_at(0.2 + i / 10)
        )
        for i in range(5)
    ]
    assert len({face.affect.valence for (face,) in shown}) == 1
    assert {face.emotion for (face,) in shown} == {Emotion.HAPPY}
