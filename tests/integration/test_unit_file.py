"""systemd's own opinion of the unit, and what no later hardening may take away from it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from daemon import call

from fer_edge.config import RetryConfig
from fer_edge.errors import ConfigError, ModelError

UNIT = Path(__file__).parents[2] / "systemd" / "fer-edge.service"
SYSTEM_UNITS = Path("/usr/lib/systemd/system")

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None or not SYSTEM_UNITS.is_dir(),
    reason="systemd-analyze is not installed",
)


def settings(text):
    """Every assignment in order; a unit may repeat a key."""
    lines = (line.strip() for line in text.splitlines())
    pairs = [line.split("=", 1) for line in lines if "=" in line and line[0] not in "#;["]
    return [(key.strip(), value.strip()) for key, value in pairs]


@pytest.fixture(scope="module")
def unit():
    return settings(UNIT.read_text())


def values(unit, key):
    return [value for name, value in unit if name == key]


@pytest.fixture
def verify(tmp_path):
    """Verify a unit's text as installed: in a root that holds this system's units and its program."""
    shutil.copytree(SYSTEM_UNITS, tmp_path / "usr/lib/systemd/system", symlinks=True)
    program = tmp_path / "opt/fer-edge/venv/bin/fer-edge"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    target = tmp_path / "etc/systemd/system/fer-edge.service"
    target.parent.mkdir(parents=True)

    def run(text):
        target.write_text(text)
        done = subprocess.run(
            ["systemd-analyze", f"--root={tmp_path}", "verify", "fer-edge.service"],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@needs_systemd
def test_systemd_has_nothing_to_say(verify):
    assert verify(UNIT.read_text()) == (0, "")


@needs_systemd
@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        ("WatchdogSec=", "WatchDogSec=", "Unknown key"),
        ("Type=notify", "Type=notifi", "service type"),
        ("/opt/fer-edge/venv", "/opt/elsewhere", "not executable"),
        ("LoadCredential=mqtt-password:", "LoadCredential=mqtt/password:", "mqtt/password"),
    ],
)
def test_that_silence_means_something(verify, good, bad, word):
    text = UNIT.read_text()
    assert good in text
    assert word in verify(text.replace(good, bad))[1]


@needs_systemd
def test_exposure_does_not_grow():
    """1.3 with systemd 252; the scale goes to 10, and another systemd may count a little more."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Overall exposure level" in done.stdout
    assert done.returncode == 0, done.stdout[-200:]


def test_the_service_protocol(unit):
    assert values(unit, "Type") == ["notify"]
    assert values(unit, "NotifyAccess") == ["main"]
    assert values(unit, "Restart") == ["on-failure"]
    assert values(unit, "StartLimitIntervalSec") == ["0"]
    assert values(unit, "TimeoutStopSec") == ["5"]


def test_a_configuration_error_is_not_tried_again(unit):
    (codes,) = values(unit, "RestartPreventExitStatus")
    usage = call("run", "--no-such-option").returncode
    assert codes.split() == [str(ConfigError.exit_code), str(usage)]
    assert ModelError.exit_code == ConfigError.exit_code


def test_two_attempts_to_reopen_a_camera_fit_into_the_watchdog(unit):
    watchdog_s = float(values(unit, "WatchdogSec")[0])
    assert 2 * RetryConfig().max_s <= watchdog_s


def test_proc_stays_whole(unit):
    """LiteRT crashes with an empty /proc/cpuinfo."""
    assert values(unit, "ProcSubset") == []


@pytest.mark.parametrize(
    "key",
    [
        "PrivateDevices",
        "PrivateNetwork",
    ],
)
def test_nothing_that_takes_camera_or_network_away(unit, key):
    assert values(unit, key) == []


def test_what_a_camera_needs_is_there(unit):
    assert "video" in values(unit, "SupplementaryGroups")
    assert "AF_NETLINK" in values(unit, "RestrictAddressFamilies")[0].split()

    assert values(unit, "DeviceAllow") == ["char-* rw"]


WITHOUT_WRITABLE_CODE = """
import ctypes, os, sys
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}; needs Linux 6.3")
os.execv(sys.argv[1], sys.argv[1:])
"""
CALLBACK = """
import ctypes
add = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number + 1)
print("called back", add(2))
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("-m", "fer_edge", "run", "--source", "demo", "--fast", "--set", "source.frames=20"),
            '"happy"',
        ),
        (("-c", CALLBACK), "called back 3"),
    ],
)
def test_it_runs_where_memory_is_never_writable_and_executable(words, said):
    """As MemoryDenyWriteExecute= has it, by the kernel's own switch; picamera2's screens call back."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_WRITABLE_CODE, sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-300:]
    assert said in done.stdout


def test_passwords_may_be_missing(unit):
    """A relative name is looked up in the stores; a missing absolute path fails the service."""
    names = dict(value.split(":") for value in values(unit, "LoadCredential"))
    assert set(names) == {"mqtt-password", "source-password"}
    assert not any(source.startswith("/") for source in names.values())
    assert values(unit, "ImportCredential") == [], "unknown to systemd 252"


def test_no_picture_is_left_in_a_core_dump(unit):
    assert values(unit, "LimitCORE") == ["0"]


TEMPLATE = UNIT.with_name("fer-edge@.service")
OF_AN_INSTANCE = {
    "Description",
    "ExecStart",
    "Environment",
    "StateDirectory",
    "WorkingDirectory",
    "LoadCredential",
}


def test_one_of_several_cameras_is_served_as_a_single_one_is(unit):
    template = settings(TEMPLATE.read_text())
    assert [one for one in template if one[0] not in OF_AN_INSTANCE] == [
        one for one in unit if one[0] not in OF_AN_INSTANCE
    ]
    own = [value for key, value in template if key in OF_AN_INSTANCE]
    assert all("%i" in value for value in own), "none shares a file or a name with another"


@needs_systemd
def test_systemd_has_nothing_to_say_of_the_template(verify, tmp_path):
    verify(UNIT.read_text())
    instance = tmp_path / "etc/systemd/system/fer-edge@.service"
    instance.write_text(TEMPLATE.read_text())
    done = subprocess.run(
        ["systemd-analyze", f"--root={tmp_path}", "verify", "fer-edge@door.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
