"""Where to connect, checked before the first attempt."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from fer_edge.errors import ConfigError
from fer_edge.tlssocket import TidySocket

PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class Broker:
    """Address, name and password; printed without the password."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def find_broker(
    url: str,
    *,
    username: str | None,
    password: str | None,
    ca_file: Path | str | None,
    cert_file: Path | str | None,
    key_file: Path | str | None,
) -> Broker:
    """The broker at `url`.

    Raises:
        ConfigError: an argument cannot be used, or two do not go together.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/"):
        raise ConfigError(f"url: {url!r}: write it as mqtt://host:1883 or mqtts://host:8883")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("url: holds a user name; use the arguments username and password")
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError:
        raise ConfigError(f"url: {url!r}: the port must be a number up to 65535") from None
    if password is not None and username is None:
        raise ConfigError("username is missing: a password is given, so name its user too")
    if parts.scheme == "mqtt" and (ca_file or cert_file or key_file):
        raise ConfigError("ca_file, cert_file, key_file are of no use without TLS: write mqtts://")
    tls = _tls(ca_file, cert_file, key_file) if parts.scheme == "mqtts" else None
    return Broker(parts.hostname, port, username, password, tls)


def _tls(
    ca_file: Path | str | None, cert_file: Path | str | None, key_file: Path | str | None
) -> ssl.SSLContext:
    if (cert_file is None) != (key_file is None):
        raise ConfigError("cert_file and key_file come together; give both or neither")
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError(f"ca_file: cannot use {ca_file}: {error.strerror or error}") from None
    context.sslsocket_class = TidySocket
    if cert_file is not None and key_file is not None:
        try:
            context.load_cert_chain(cert_file, key_file, password=lambda: "")
        except OSError as error:
            raise ConfigError(
                f"cert_file, key_file: cannot use {cert_file} and {key_file}: "
                f"{error.strerror or error}"
            ) from None
    return context
