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


def test_entities_that_live_by_pictures_need_the_camera():
    _, payload = announced()
    by_pictures = {"emotion", "dominant", "confidence", "valence", "arousal", "faces", "presence"}
    by_pictures |= {"face_event", "emotion_event"}
    for key, entity in payload["components"].items():
        if entity["platform"] == "device_automation":
            continue
        topics = [one["topic"] for one in entity["availability"]]
        assert topics[0] == "fer-edge/kitchen/availability"
        assert ("fer-edge/kitchen/camera" in topics) == (key in by_pictures)
        assert (entity.get("availability_mode") == "all") == (key in by_pictures)


def test_a_device_that_takes_no_commands_has_nothing_to_press():
    _, payload = announced()
    assert not [e for e in payload["components"].values() if "command_topic" in e]
    (message,) = discovery_messages("kitchen", "p", "homeassistant", model_widths=(0.25, 1.0))
    components = json.loads(message.payload)["components"]
    pressed = {
        e["platform"]: e["command_topic"] for e in components.values() if "command_topic" in e
    }
    assert set(pressed) == {"switch", "select", "number", "button"}
    assert pressed["switch"] == "p/set/recognition"
    assert components["model_width"]["options"] == ["0.25", "1.0"]


def test_names_in_automations_are_those_that_home_assistant_makes_of_the_names():
    _, payload = announced("Flur-2")
    presence = payload["components"]["presence"]
    assert presence["default_entity_id"] == "binary_sensor.fer_edge_flur_2_presence"


def test_the_emotion_knows_every_value_it_can_have():
    _, payload = announced()
    options = payload["components"]["emotion"]["options"]
    assert options == [*(str(emotion) for emotion in EMOTIONS), "uncertain", "none"]


def test_two_devices_share_no_id():
    ids = [
        entity["unique_id"]
        for device in ("kitchen", "hall")
        for entity in announced(device)[1]["components"].values()
        if "unique_id" in entity
    ]
    assert len(set(ids)) == len(ids) == 2 * 15


def test_topics_follow_the_prefix():
    _, payload = announced(prefix="house/eyes")
    assert payload["components"]["faces"]["state_topic"] == "house/eyes/state"


def test_birth_is_home_assistants_own_message():
    birth = birth_message("ha")
    assert (birth.topic, birth.payload) == ("ha/status", b"online")
