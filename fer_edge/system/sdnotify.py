"""Telling systemd that the service is ready, alive, or stopping: sd_notify(3).

python3-systemd does it where it is installed; elsewhere the documented protocol is spoken over the
socket that $NOTIFY_SOCKET names; without that variable nothing happens. A lost message must never
hurt recognition, so sending cannot raise: the first failure is logged, later ones are not.
"""

import logging
import os
import socket
from collections.abc import Callable, Mapping
from typing import Final

logger = logging.getLogger(__name__)

Send = Callable[[str], None]
"""Delivers one datagram of `KEY=value` lines; may raise OSError."""

SEND_TIMEOUT_S: Final = 1.0
"""A service manager that does not read must not hang the loop that feeds its watchdog."""


class Notifier:
    """What the service may tell systemd. Safe to call from any thread.

    `send` is None where nobody listens. `watchdog_interval_s` is the service's WatchdogSec.
    """

    def __init__(self, send: Send | None, *, watchdog_interval_s: float | None = None) -> None:
        self._send = send
        self._watchdog_interval_s = watchdog_interval_s if send else None
        self._failed = False

    @property
    def enabled(self) -> bool:
        """Whether somebody listens."""
        return self._send is not None

    @property
    def watchdog_interval_s(self) -> float | None:
        """Seconds after which systemd kills a service that has not called `watchdog`.

        Call it at least twice as often. None where no watchdog runs.
        """
        return self._watchdog_interval_s

    def ready(self, status: str) -> None:
        """Start-up is finished; units that are ordered after this one may start."""
        self._notify("READY=1", f"STATUS={_one_line(status)}")

    def status(self, text: str) -> None:
        """The line that `systemctl status` shows."""
        self._notify(f"STATUS={_one_line(text)}")

    def watchdog(self) -> None:
        """Something has got through; call it on progress only, never from a timer of its own."""
        if self._watchdog_interval_s is not None:
            self._notify("WATCHDOG=1")

    def stopping(self, status: str) -> None:
        """Shutdown has begun."""
        self._notify("STOPPING=1", f"STATUS={_one_line(status)}")

    def _notify(self, *lines: str) -> None:
        if self._send is None:
            return
        try:
            self._send("\n".join(lines))
        except OSError as error:
            if not self._failed:
                self._failed = True
                logger.warning("systemd cannot be told of the service's state: %s", error)


def open_notifier(environ: Mapping[str, str] = os.environ) -> Notifier:
    """The notifier for this process, as `environ` describes it (sd_notify(3))."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return Notifier(None)
    if address[0] not in "/@":
        # The protocol knows no other addresses for a service (vsock is for virtual machines).
        logger.warning("NOTIFY_SOCKET=%s is neither a path nor an abstract name: ignored", address)
        return Notifier(None)
    send = _systemd_send(address) or _socket_send(address)
    return Notifier(send, watchdog_interval_s=_watchdog_interval_s(environ))


def _watchdog_interval_s(environ: Mapping[str, str]) -> float | None:
    """As sd_watchdog_enabled(3): ignored when meant for another process or not a positive number."""
    pid = environ.get("WATCHDOG_PID", "")
    if pid and pid != str(os.getpid()):
        return None
    usec = environ.get("WATCHDOG_USEC", "")
    return int(usec) / 1e6 if usec.isdecimal() and int(usec) > 0 else None


def _systemd_send(address: str) -> Send | None:
    """Through python3-systemd, where it is installed; it knows only the process's own address."""
    if os.environ.get("NOTIFY_SOCKET") != address:
        return None
    try:
        from systemd.daemon import notify
    except ImportError:
        return None

    def send(message: str) -> None:
        notify(message)

    return send


def _socket_send(address: str) -> Send:
    target = "\0" + address[1:] if address.startswith("@") else address

    def send(message: str) -> None:
        # Opened for each message, as libsystemd does: nothing to close, and a socket that was
        # created again by a re-executed systemd is found again.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.settimeout(SEND_TIMEOUT_S)
            datagrams.connect(target)
            datagrams.sendall(message.encode())

    return send


def _one_line(text: str) -> str:
    """A line break in a text would begin an assignment of its own."""
    return " ".join(text.split())
