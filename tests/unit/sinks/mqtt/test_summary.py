import pytest

from fer_edge.sinks.mqtt.summary import Summary
from fer_edge.types import Emotion


@pytest.fixture
def summary():
    return Summary("kitchen")


def show(summary, clock, result, faces, seconds, *, step_s=0.2):
    """The last message after so many seconds of the same faces."""
    message = None
    for _ in range(round(seconds / step_s)):
        clock.tick(step_s)
        message = summary.make(result(*faces))
    return message


def test_since_is_the_beginning_of_the_present_emotion(summary, clock, result, face):
    first = summary.make(result(face()))
    later = show(summary, clock, result, [face()], 5)
    assert later["since"] == first["since"]
    changed = show(summary, clock, result, [face(emotion=Emotion.SAD)], 0.2)
    assert changed["since"] == changed["captured_at"]


def test_the_last_minute_is_that_of_the_time_with_a_face(summary, clock, result, face):
    summary.make(result(face()))
    show(summary, clock, result, [face()], 30)
    message = show(summary, clock, result, [face(emotion=Emotion.SAD)], 10)
    dominant = message["dominant"]
    assert dominant["emotion"] == "happy"
    assert dominant["shares"]["happy"] == pytest.approx(0.75, abs=0.02)
    assert dominant["shares"]["sad"] == pytest.approx(0.25, abs=0.02)
    assert dominant["seen_s"] == pytest.approx(40, abs=0.5)
    message = show(summary, clock, result, [face(emotion=Emotion.SAD)], 60)
    assert message["dominant"]["shares"]["sad"] == 1.0
    assert message["dominant"]["emotion"] == "sad"


def test_a_short_smile_does_not_break_five_minutes_of_sadness(summary, clock, result, face):
    show(summary, clock, result, [face(emotion=Emotion.SAD)], 60)
    for _ in range(5):
        message = show(summary, clock, result, [face()], 5)
        assert message["dominant"]["emotion"] == "sad"
        message = show(summary, clock, result, [face(emotion=Emotion.SAD)], 40)
        assert message["dominant"]["emotion"] == "sad"


def test_two_emotions_that_take_turns_do_not_flicker(summary, clock, result, face):
    show(summary, clock, result, [face(emotion=Emotion.SAD)], 30)
    dominant = set()
    for _ in range(60):
        for emotion in (Emotion.HAPPY, Emotion.SAD):
            message = show(summary, clock, result, [face(emotion=emotion)], 1)
            dominant.add(message["dominant"]["emotion"])
    assert dominant == {"sad"}


def test_nobody_for_a_minute(summary, clock, result, face):
    assert summary.make(result())["dominant"]["emotion"] == "none"
    show(summary, clock, result, [face()], 10)
    assert show(summary, clock, result, [], 30)["dominant"]["emotion"] == "happy"
    message = show(summary, clock, result, [], 31)
    assert (message["dominant"]["emotion"], message["dominant"]["seen_s"]) == ("none", 0.0)


def test_without_pictures_nothing_is_known(summary, clock, result, face):
    show(summary, clock, result, [face()], 3)
    message = summary.blind(clock())
    unknown = ("faces", "emotion", "valence", "arousal", "confidence", "dominant")
    assert {key: message[key] for key in unknown} == dict.fromkeys(unknown)
    assert summary.differs(message)
    summary.sent(message)
    assert not summary.differs(summary.blind(clock()))


def test_figures_stay_until_they_move_by_a_step(summary, result, face):
    message = summary.make(result(face(valence=0.5, arousal=0.2)))
    assert summary.differs(message)
    summary.sent(message)
    for valence in (0.46, 0.54, 0.5):
        message = summary.make(result(face(valence=valence, arousal=0.2)))
        assert message["valence"] == 0.5
        assert not summary.differs(message)
    # Another figure's step does not carry the small change along.
    message = summary.make(result(face(valence=0.54, arousal=0.3)))
    assert summary.differs(message)
    assert (message["valence"], message["arousal"]) == (0.5, 0.3)
    summary.forget()
    assert summary.make(result(face(valence=0.54)))["valence"] == 0.54
