"""The notify protocol over real sockets, by path and by abstract name."""

import contextlib
import logging
import os
import socket
import sys

import pytest

from fer_edge.system.sdnotify import Notifier, open_notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A stand-in for systemd: (address for NOTIFY_SOCKET, receiving socket)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(5)
        if request.param == "path":
            address = str(tmp_path / "notify")
            receiver.bind(address)
        else:
            address = f"@fer-edge-test-{os.getpid()}-{id(receiver)}"
            receiver.bind("\0" + address[1:])
        yield address, receiver


def received(receiver):
    return receiver.recv(4096).decode().split("\n")


def nothing_received(receiver):
    receiver.setblocking(False)
    with pytest.raises(BlockingIOError):
        receiver.recv(4096)
    return True


def test_every_message_is_one_datagram_of_assignments(manager):
    address, receiver = manager
    notifier = open_notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
    assert notifier.enabled

    notifier.ready("first frame processed")
    assert received(receiver) == ["READY=1", "STATUS=first frame processed"]
    notifier.status("30.0 frames a second, 2 faces")
    assert received(receiver) == ["STATUS=30.0 frames a second, 2 faces"]
    notifier.watchdog()
    assert received(receiver) == ["WATCHDOG=1"]
    notifier.stopping("SIGTERM")
    assert received(receiver) == ["STOPPING=1", "STATUS=SIGTERM"]


def test_a_line_break_in_a_status_is_no_second_assignment(manager):
    address, receiver = manager
    open_notifier({"NOTIFY_SOCKET": address}).status("camera:\nREADY=1\r\nMAINPID=1")
    assert received(receiver) == ["STATUS=camera: READY=1 MAINPID=1"]


def test_without_a_service_manager_it_is_silent():
    notifier = open_notifier({"WATCHDOG_USEC": "30000000"})
    assert not notifier.enabled
    assert notifier.watchdog_interval_s is None
    notifier.ready("x")
    notifier.status("x")
    notifier.watchdog()
    notifier.stopping("x")


@pytest.mark.parametrize("address", ["vsock:2:1234", "relative/path"])
def test_an_address_the_protocol_does_not_know_is_ignored_with_a_warning(address, caplog):
    assert not open_notifier({"NOTIFY_SOCKET": address}).enabled
    assert address in caplog.text


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_watchdog_interval(manager, environ, seconds):
    notifier = open_notifier({"NOTIFY_SOCKET": manager[0], **environ})
    assert notifier.watchdog_interval_s == seconds


def test_no_watchdog_message_when_no_watchdog_runs(manager):
    address, receiver = manager
    open_notifier({"NOTIFY_SOCKET": address}).watchdog()
    assert nothing_received(receiver)


def test_a_socket_that_goes_away_and_comes_back(tmp_path, caplog):
    address = str(tmp_path / "notify")
    notifier = open_notifier({"NOTIFY_SOCKET": address})
    with caplog.at_level(logging.WARNING):
        notifier.status("nobody listens")
        notifier.status("still nobody")
    assert len(caplog.records) == 1

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(5)
        receiver.bind(address)
        notifier.status("back")
        assert received(receiver) == ["STATUS=back"]


def test_a_manager_that_does_not_read_cannot_hang_the_daemon(manager, caplog):
    address, _ = manager
    notifier = open_notifier({"NOTIFY_SOCKET": address})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        target = "\0" + address[1:] if address.startswith("@") else address
        with contextlib.suppress(BlockingIOError):
            while True:
                filler.sendto(b"x", target)
    notifier.status("the queue is full")  # returns, within its own timeout
    assert len(caplog.records) == 1


def test_python3_systemd_is_used_where_it_is_installed(manager, tmp_path, monkeypatch):
    """With a package of its name and signature that writes down what it was asked."""
    package = tmp_path / "site" / "systemd"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "daemon.py").write_text(
        "sent = []\n"
        "def notify(status, unset_environment=False, pid=0, fds=None):\n"
        "    sent.append(status)\n"
        "    return True\n"
    )
    for name in [n for n in sys.modules if n.split(".")[0] == "systemd"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(package.parent))
    address, receiver = manager
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    try:
        open_notifier().ready("up")
        assert sys.modules["systemd.daemon"].sent == ["READY=1\nSTATUS=up"]
        assert nothing_received(receiver)
    finally:
        for name in ("systemd.daemon", "systemd"):
            sys.modules.pop(name, None)


def test_a_sender_that_fails_never_raises_into_the_daemon(caplog):
    def send(message):
        raise ConnectionRefusedError(111, "Connection refused")

    notifier = Notifier(send, watchdog_interval_s=1.0)
    notifier.ready("x")
    notifier.watchdog()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
