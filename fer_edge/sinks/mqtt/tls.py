"""Encryption of the connection to a broker."""

import ssl
from pathlib import Path

from fer_edge.config import MqttConfig
from fer_edge.errors import ConfigError
from fer_edge.tlssocket import TidySocket


def tls_context(config: MqttConfig) -> ssl.SSLContext | None:
    """How to encrypt, and whom to trust; None for a broker without TLS.

    Raises:
        ConfigError: a file cannot be read, or is not what it should be.
    """
    if config.url is None or not config.url.startswith("mqtts:"):
        for field, file in (("ca_file", config.ca_file), ("cert_file", config.cert_file)):
            if file is not None:
                raise ConfigError(
                    f"mqtt.{field} is of no use without TLS: write mqtts:// in mqtt.url"
                )
        return None
    if config.ca_file is not None:
        _check_readable("ca_file", config.ca_file)
    try:
        # A `ca_file` replaces the system's authorities: with it no other is trusted.
        context = ssl.create_default_context(cafile=config.ca_file)
    except ssl.SSLError:
        raise ConfigError(f"mqtt.ca_file: {config.ca_file} holds no certificate in PEM") from None
    context.sslsocket_class = TidySocket
    if config.cert_file is not None and config.key_file is not None:
        _load_client(context, config.cert_file, config.key_file)
    return context


def _load_client(context: ssl.SSLContext, cert_file: Path, key_file: Path) -> None:
    _check_readable("cert_file", cert_file)
    _check_readable("key_file", key_file)

    def refuse_to_ask() -> str:
        # Without this OpenSSL asks on the terminal, and a daemon waits for ever.
        raise ConfigError(f"mqtt.key_file: {key_file} is encrypted; decrypt it with openssl pkey")

    try:
        context.load_cert_chain(cert_file, key_file, password=refuse_to_ask)
    except ssl.SSLError:
        raise ConfigError(
            f"mqtt.cert_file, mqtt.key_file: {cert_file} and {key_file} are no certificate and key "
            "in PEM that belong together"
        ) from None


def _check_readable(field: str, file: Path) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"mqtt.{field}: cannot read {file}: {error.strerror}; check path and owner"
        ) from None
