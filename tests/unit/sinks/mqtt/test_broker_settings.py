import subprocess

import pytest

from fer_edge.config import MqttConfig
from fer_edge.errors import ConfigError
from fer_edge.sinks.mqtt.broker import find_broker


def test_what_is_not_given_has_its_usual_value():
    broker = find_broker(MqttConfig(url="mqtt://broker.local"), "kitchen")
    assert (broker.host, broker.port, broker.client_id) == (
        "broker.local",
        1883,
        "fer-edge-kitchen",
    )
    assert broker.tls is None
    assert find_broker(MqttConfig(url="mqtts://broker.local"), "kitchen").port == 8883
    assert find_broker(MqttConfig(url="mqtt://[::1]:1"), "kitchen").host == "::1"


def test_the_password_is_never_printed(tmp_path):
    (tmp_path / "password").write_text("open sesame\n")
    broker = find_broker(
        MqttConfig(url="mqtt://b", username="me", password_file=tmp_path / "password"), "kitchen"
    )
    assert broker.password == "open sesame"
    assert "sesame" not in f"{broker} {broker!r}"


@pytest.fixture
def key(tmp_path):
    """A private key that belongs to no certificate."""
    path = tmp_path / "key.pem"
    openssl = [
        "openssl",
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
    ]
    subprocess.run([*openssl, path], check=True, capture_output=True)
    return path


def refused(device="kitchen", **fields):
    with pytest.raises(ConfigError) as caught:
        find_broker(MqttConfig(**{"url": "mqtts://broker", **fields}), device)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_bad_files_are_refused_in_one_line(tmp_path, key):
    missing, text = tmp_path / "missing.pem", tmp_path / "text.pem"
    text.write_text("not a certificate")
    assert refused(ca_file=missing).startswith(f"mqtt.ca_file: cannot read {missing}: No such file")
    assert "Is a directory" in refused(ca_file=tmp_path)
    assert refused(ca_file=text) == f"mqtt.ca_file: {text} holds no certificate in PEM"
    assert refused(cert_file=missing, key_file=text).startswith("mqtt.cert_file: cannot read")
    assert refused(cert_file=text, key_file=missing).startswith("mqtt.key_file: cannot read")
    assert "belong together" in refused(cert_file=text, key_file=key)
    assert refused(username="me", password_file=missing).startswith("mqtt.password_file: cannot")


def test_fields_that_do_not_go_together_are_refused(tmp_path):
    file = tmp_path / "file"
    file.write_text("open sesame")
    assert "mqtts://" in refused(url="mqtt://broker", ca_file=file)
    assert "mqtts://" in refused(url="mqtt://broker", cert_file=file, key_file=file)
    message = refused(password_file=file)
    assert "mqtt.username" in message
    assert "sesame" not in message
    assert "mqtt.url" in refused(url=None)


def test_a_host_that_cannot_be_looked_up_is_refused():
    assert "is no host name" in refused(url=f"mqtt://{'a' * 64}.local")
