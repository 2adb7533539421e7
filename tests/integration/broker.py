"""A real mosquitto on loopback, with everything that can go wrong with one, and a subscriber."""

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

PATH = os.environ.get("PATH", "") + ":/usr/sbin"
"""Debian keeps mosquitto where only root looks."""


T = TypeVar("T")


def wait_for(what: Callable[[], T], timeout_s: float = 15.0) -> T:
    """The first true value of `what()`."""
    deadline = time.monotonic() + timeout_s
    while not (value := what()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return value


def free_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@dataclass(frozen=True)
class Certificates:
    """An authority, and what it has signed."""

    ca: Path
    cert: Path
    key: Path


def make_certificates(
    folder: Path,
    name: str,
    *,
    names: str = "IP:127.0.0.1,DNS:localhost",
    expired: bool = False,
) -> Certificates:
    """An authority called `name` and a certificate for `names`, by openssl, good for a day.

    The extensions are those that Python 3.13 insists on (RFC 5280).
    """
    folder.mkdir(exist_ok=True)
    ca, ca_key = folder / f"{name}-ca.pem", folder / f"{name}-ca.key"
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    new = ["req", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    _openssl(
        *new, "-x509", "-days", "1", "-subj", f"/CN={name} authority", "-keyout", ca_key,
        "-out", ca, "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(
        f"subjectAltName={names}\nbasicConstraints=critical,CA:false\n"
        "keyUsage=critical,digitalSignature\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    _openssl(*new, "-new", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    _openssl(
        "x509", "-req", "-in", request, "-out", cert, "-CA", ca, "-CAkey", ca_key,
        "-CAcreateserial", "-days", "-1" if expired else "1", "-extfile", extensions,
    )  # fmt: skip
    return Certificates(ca, cert, key)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)


class Broker:
    """A mosquitto on loopback that keeps nothing; ended by the end of the `with` block."""

    def __init__(
        self,
        folder: Path,
        *,
        users: dict[str, str] | None = None,
        certificates: Certificates | None = None,
        client_certificates: bool = False,
        access: str | None = None,
    ) -> None:
        """Not started yet, but its port is known.

        Args:
            folder: For its files; one for each broker.
            users: Names and passwords; everybody may connect without.
            certificates: For TLS; none without.
            client_certificates: Ask clients for a certificate of the same authority.
            access: Lines of an access list; everybody may do everything without.
        """
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._tls = certificates is not None
        lines = [f"listener {self.port} 127.0.0.1", f"user {getpass.getuser()}"]
        lines += ["persistence false", f"allow_anonymous {'false' if users else 'true'}"]
        if users:
            lines.append(f"password_file {folder}/passwords")
            for name, password in users.items():
                self.set_password(name, password)
        if certificates is not None:
            lines += [f"cafile {certificates.ca}", f"certfile {certificates.cert}"]
            lines += [f"keyfile {certificates.key}"]
            lines += [f"require_certificate {'true' if client_certificates else 'false'}"]
        if access is not None:
            (folder / "access").write_text(access)
            lines.append(f"acl_file {folder}/access")
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'mqtts' if self._tls else 'mqtt'}://127.0.0.1:{self.port}"

    def set_password(self, name: str, password: str) -> None:
        """Takes effect with the next start, or with `reload`."""
        file = self._folder / "passwords"
        create = [] if file.exists() else ["-c"]
        command = [_find("mosquitto_passwd"), "-b", *create, file, name, password]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    def reload(self) -> None:
        """Read the passwords again."""
        self._signal(signal.SIGHUP)

    def start(self) -> None:
        """Begin to listen; back when it does."""
        log = self._folder / "mosquitto.log"
        with log.open("ab") as stderr:
            command = [_find("mosquitto"), "-c", self._folder / "mosquitto.conf"]
            self._process = subprocess.Popen(command, stderr=stderr, stdout=stderr)
        wait_for(self._listens)

    def kill(self) -> None:
        """End without a goodbye."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End in an orderly way."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Hang: connections stay, nobody reads."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "mosquitto.log").read_text()
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None


def _find(program: str) -> str:
    found = shutil.which(program, path=PATH)
    assert found, f"{program} is missing: apt install mosquitto"
    return found


@dataclass(frozen=True)
class Received:
    """A message as a subscriber got it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    at: float
    """time.time() when it came."""
    properties: Any = None
    """Those of MQTT 5."""

    @property
    def json(self) -> Any:
        return json.loads(self.payload)

    @property
    def captured_at(self) -> float:
        """When the picture was taken, on the clock of `at`."""
        return datetime.fromisoformat(self.json["captured_at"]).timestamp()


class Recorder:
    """Subscribes to everything, or to `topic`, and keeps it."""

    def __init__(
        self,
        broker: Broker,
        *,
        topic: str = "#",
        ca: Path | None = None,
        client_id: str = "",
        v5: bool = False,
        **credentials: str,
    ) -> None:
        self.messages: list[Received] = []
        self._ready = threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if ca is not None:
            self._client.tls_set(str(ca))
        if credentials:
            self._client.username_pw_set(**credentials)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._client.subscribe(topic, 1)
        assert self._ready.wait(10)

    def on(self, topic: str) -> list[Received]:
        """What came on `topic` so far."""
        return [message for message in list(self.messages) if message.topic == topic]

    def payloads(self, topic: str) -> list[bytes]:
        """What came on `topic` so far, as bytes."""
        return [message.payload for message in self.on(topic)]

    def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish; back when the broker has it."""
        self._client.publish(topic, payload, 1, retain).wait_for_publish(10)

    def stall(self) -> None:
        """Read nothing more after the next message."""
        self._flowing.clear()

    def go_on(self) -> None:
        """Read again."""
        self._flowing.set()

    def close(self) -> None:
        """End the connection."""
        self.go_on()
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        # Client and recorder know each other; apart, the client closes all its sockets at once.
        self._client.on_message = self._client.on_subscribe = None

    def _on_message(self, _client: Client, _data: Any, message: Any) -> None:
        self._flowing.wait()
        self.messages.append(
            Received(
                message.topic,
                message.payload,
                message.qos,
                message.retain,
                time.time(),
                message.properties,
            )
        )
