import pytest

from fer_edge.sinks.mqtt.events import Events
from fer_edge.types import Emotion


class Sent(list):
    room = True

    def __call__(self, topic, message):
        if self.room:
            self.append((topic, message))
        return self.room

    def take(self):
        taken = [
            (m["event_type"], m["face"], m.get("from"), m.get("to"), m.get("held_s"))
            for _, m in self
        ]
        self.clear()
        return taken


@pytest.fixture
def sent():
    return Sent()


@pytest.fixture
def see(clock, result, sent):
    events = Events("kitchen", sent)

    def look(*faces, after_s=1.0):
        clock.tick(after_s)
        events.see(result(*faces), clock())

    look.forget = events.forget
    look()
    return look


def test_a_face_appears_and_leaves(see, sent, face):
    see(face(3))
    see(face(3))
    see()
    assert [topic for topic, _ in sent] == ["events/face"] * 2
    assert sent[0][1]["schema"] == "fer-edge/event/1"
    assert [what[:2] for what in sent.take()] == [("appeared", 3), ("left", 3)]


def test_who_was_there_before_does_not_appear(see, sent, face):
    see.forget()
    see(face(3))
    assert sent.take() == []
    see()
    assert [what[:2] for what in sent.take()] == [("left", 3)]


def test_a_camera_that_fails_lets_nobody_leave(see, sent, face):
    see(face(3))
    sent.clear()
    see.forget()
    see()
    assert sent.take() == []


def test_a_changed_emotion_says_how_long_the_old_one_was_held(see, sent, face):
    for _ in range(5):
        see(face(3))
    see(face(3, emotion=None))
    see(face(3, emotion=Emotion.SAD))
    sent.pop(0)
    assert sent.take() == [("changed", 3, "happy", "sad", 6.0)]
    see(face(3, emotion=None))
    see(face(3, emotion=Emotion.SAD))
    assert sent.take() == []


def test_at_most_one_a_second_of_a_kind(see, sent, face):
    for number in range(100):
        emotion = Emotion.SAD if number % 2 else Emotion.HAPPY
        see(*(face(n, emotion=emotion) for n in range(number % 7)), after_s=0.1)
    kinds = [topic for topic, _ in sent]
    assert 5 <= kinds.count("events/face") <= 11
    assert kinds.count("events/emotion") <= 11


def test_what_is_undone_before_its_turn_is_never_told(see, sent, face):
    see(face(1))
    see(face(1), face(2), after_s=0.1)
    see(face(1), after_s=0.1)
    see(face(1), after_s=2)
    assert [what[:2] for what in sent.take()] == [("appeared", 1)]


def test_without_room_it_is_told_later(see, sent, face):
    sent.room = False
    see(face(1))
    sent.room = True
    see(face(1), after_s=0.1)
    assert [what[:2] for what in sent.take()] == [("appeared", 1)]
