"""A broker as the configuration describes it, checked as far as it can be without the broker."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fer_edge.config import MQTT_PORTS, MqttConfig, read_password
from fer_edge.errors import ConfigError
from fer_edge.sinks.mqtt.tls import tls_context


@dataclass(frozen=True)
class Broker:
    """Address, name and password for a connection; printed without the password."""

    host: str
    port: int
    client_id: str
    username: str | None
    password: str | None = field(repr=False)
    tls: ssl.SSLContext | None = field(repr=False)
    version: str
    """Version of MQTT: 3.1.1 or 5."""
    keepalive_s: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def find_broker(config: MqttConfig, device: str) -> Broker:
    """The broker of `config`.

    Raises:
        ConfigError: there is none, a file is missing, or fields do not go together.
    """
    if config.url is None:
        raise ConfigError("mqtt.url is not set; write it as mqtt://host:1883")
    parts = urlsplit(config.url)
    host = parts.hostname or ""
    try:
        host.encode("idna")
    except UnicodeError:
        raise ConfigError(f"mqtt.url: {host} is no host name") from None
    password = read_password("mqtt.password_file", config.password_file, "mqtt-password")
    if password is not None and config.username is None:
        raise ConfigError("mqtt.username is missing: a password is given, so name its user too")
    return Broker(
        host=host,
        port=parts.port or MQTT_PORTS[parts.scheme],
        client_id=config.client_id or f"fer-edge-{device}",
        username=config.username,
        password=password,
        tls=tls_context(config),
        version=config.protocol,
        keepalive_s=config.keepalive_s,
    )
