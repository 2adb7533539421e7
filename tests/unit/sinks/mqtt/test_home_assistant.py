import json
import re

import fer_edge
from fer_edge.sinks.mqtt.home_assistant import birth_message, discovery_messages
from fer_edge.types import EMOTIONS


def announced(device="kitchen", prefix="fer-edge/kitchen"):
    (message,) = discovery_messages(device, prefix, "homeassistant")
    return message, json.loads(message.payload)


def test_one_retained_message_announces_the_device():
    message, payload = announced()
    assert message.topic == "homeassistant/device/fer_edge_kitchen/config"
    assert (message.qos, message.retain) == (1, True)
    assert payload["device"]["identifiers"] == ["fer_edge_kitchen"]
    assert payload["device"]["sw_version"] == fer_edge.__version__
    assert payload["origin"]["name"] == "fer-edge"


def test_a_name_with_other_letters_makes_a_topic_that_home_assistant_reads():
    topics = set()
    for device in ("küche", "kòche"):
        message, payload = announced(device)
        assert payload["device"]["name"] == f"fer-edge {device}"
        _, _, node, _ = message.topic.split("/")
        assert re.fullmatch("[a-zA-Z0-9_-]+", node)
        topics.add(node)
    assert len(topics) == 2


def test_every_entity_is_asked_for_is_there():
    _, payload = announced()
    assert set(payload["components"]) == {
        "emotion",
        "valence",
        "arousal",
        "faces",
        "frame_rate",
        "temperature",
    }
    for entity in payload["components"].values():
        assert entity["platform"] == "sensor"
        assert entity["availability_topic"] == "fer-edge/kitchen/availability"
        assert entity["state_topic"].startswith("fer-edge/kitchen/")


def test_the_emotion_knows_every_value_it_can_have():
    _, payload = announced()
    options = payload["components"]["emotion"]["options"]
    assert options == [*(str(emotion) for emotion in EMOTIONS), "uncertain", "none"]


def test_two_devices_share_no_id():
    ids = [
        entity["unique_id"]
        for device in ("kitchen", "hall")
        for entity in announced(device)[1]["components"].values()
    ]
    assert len(set(ids)) == len(ids) == 12


def test_topics_follow_the_prefix():
    _, payload = announced(prefix="house/eyes")
    assert payload["components"]["faces"]["state_topic"] == "house/eyes/state"


def test_birth_is_home_assistants_own_message():
    birth = birth_message("ha")
    assert (birth.topic, birth.payload) == ("ha/status", b"online")
