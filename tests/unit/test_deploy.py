"""What lies in deploy/: scripts run for real in folders of their own, examples are loaded for real.

pip runs offline with a project of one line: what is tested is the scripts, not the downloads.
"""

import contextlib
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from packaging.requirements import Requirement
from pydantic import BaseModel

from fer_edge.config import Config, load
from fer_edge.config._describe import known_types

CHECKOUT = Path(__file__).parents[2]
DEPLOY = CHECKOUT / "deploy"
EXAMPLE = DEPLOY / "config.example.toml"
UNIT = CHECKOUT / "systemd" / "fer-edge.service"
SCRIPTS = ["demo", "install.sh", "uninstall.sh"]

# --- The example configuration ---------------------------------------------------------------------


def uncommented(text):
    """Options are `#key`, prose is `# Prose`."""
    return re.sub(r"^#(?=[\w\[])", "", text, flags=re.MULTILINE)


CHOICES = ("source", "detector")
"""Sections of which the example shows several, one for each type."""


def variants():
    """The example with every option in force; each of the sections of `CHOICES` once."""
    blocks = EXAMPLE.read_text().split("\n\n")
    alternatives = [[block for block in blocks if f"#[{name}]" in block] for name in CHOICES]
    rest = [block for block in blocks if not any(block in some for some in alternatives)]
    for chosen in itertools.zip_longest(*alternatives):
        # What has fewer types repeats its first. Options before the first section must stay there.
        filled = [block or some[0] for block, some in zip(chosen, alternatives, strict=True)]
        yield uncommented("\n\n".join([*rest, *filled]))


def load_text(text, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load(path, environ={}, overrides={})


def test_the_example_changes_nothing(tmp_path):
    assert load(EXAMPLE, environ={}, overrides={}) == load_text("", tmp_path)


@pytest.mark.parametrize("name", CHOICES)
def test_every_option_of_the_example_is_accepted(tmp_path, name):
    kinds = {getattr(load_text(text, tmp_path), name).type for text in variants()}
    assert kinds == set(known_types((name,)))


def test_the_example_shows_every_option_and_its_default(tmp_path):
    trees = [tomllib.loads(text) for text in variants()]
    configs = [load_text(text, tmp_path) for text in variants()]
    for tree, config in zip(trees, configs, strict=True):
        assert set(tree) == set(Config.model_fields)
        for name, value in tree.items():
            section = getattr(config, name)
            if not isinstance(section, BaseModel):
                continue
            fields = type(section).model_fields
            assert set(value) == set(fields), name
            for key, shown in value.items():
                default = fields[key].default
                if not (default is None or fields[key].is_required()):
                    assert shown == default, f"{name}.{key}"


# --- Scripts ---------------------------------------------------------------------------------------

PROGRAM = "import json, os, sys\ndef main(): print(json.dumps([os.getcwd(), sys.argv[1:]]))\n"

BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "fer_edge-0.0.1-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text)
    return name
build_wheel = build_editable
"""


def wheel_files(version="0.0.1"):
    info = f"fer_edge-{version}.dist-info"
    return {
        "fer_edge_stub.py": PROGRAM,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: fer-edge\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nfer-edge = fer_edge_stub:main\n",
        f"{info}/RECORD": "",
    }


@pytest.fixture
def checkout(tmp_path):
    return make_checkout(tmp_path)


def make_checkout(tmp_path):
    """A checkout with the real deploy/ and systemd/ around a project of one line."""
    root = tmp_path / "check out"  # with a space
    shutil.copytree(DEPLOY, root / "deploy")
    shutil.copytree(CHECKOUT / "systemd", root / "systemd")
    for lock in (root / "deploy/locks").glob("*.txt"):
        lock.write_text("")
    (root / "fer_edge").mkdir()
    (root / "models").mkdir()
    (root / "fer_edge/__init__.py").write_text('__version__ = "0.0.1"\n')
    (root / "backend.py").write_text(f"FILES = {wheel_files()!r}\n{BACKEND}")
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "fer-edge"\nversion = "0.0.1"\n'
    )
    return root


@pytest.fixture
def environ(tmp_path):
    return make_environ(tmp_path)


def make_environ(tmp_path):
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        "HOME": str(tmp_path),
        "PYTHON": sys.executable,
        "PIP_NO_INDEX": "1",
        "DESTDIR": str(tmp_path / "root"),
    }


def fake_program(tmp_path, environ, name, script):
    """`environ` with a program of that name before all others."""
    folder = tmp_path / "programs"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return {**environ, "PATH": f"{folder}:{environ['PATH']}"}


def run(*command, environ, cwd="/"):
    return subprocess.run(
        [str(part) for part in command],
        env=environ,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_executable_posix_shell(name):
    path = DEPLOY / name
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/bin/sh\n")
    assert run("/bin/sh", "-n", path, environ=dict(os.environ)).returncode == 0


def test_demo_installs_when_needed_and_passes_arguments_through(checkout, environ, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (checkout / ".venv/bin").mkdir(parents=True)  # what an interrupted install left
    link = tmp_path / "link"
    link.symlink_to(checkout / "deploy/demo")
    command = (link, "--mqtt", "mqtt://localhost:1883", "a b")
    expected = [
        str(elsewhere),
        ["run", "--source", "demo", "--mqtt", "mqtt://localhost:1883", "a b"],
    ]

    first = run(*command, environ=environ, cwd=elsewhere)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == expected, "nothing but the program on standard output"
    assert "installing" in first.stderr

    second = run(*command, environ=environ, cwd=elsewhere)
    assert (json.loads(second.stdout), second.stderr) == (expected, "")

    with (checkout / "pyproject.toml").open("a") as project:
        project.write("description = 'changed'\n")
    third = run(*command, environ=environ, cwd=elsewhere)
    assert json.loads(third.stdout) == expected
    assert "installing" in third.stderr

    with (checkout / "pyproject.toml").open("a") as project:
        project.write("keywords = ['cannot be built']\n")
    (checkout / "backend.py").write_text("")
    for _ in range(2):  # the failure leaves no stamp
        failed = run(*command, environ=environ, cwd=elsewhere)
        assert (failed.returncode, failed.stdout) == (1, "")
        assert failed.stderr.splitlines()[-1].startswith("deploy/demo: cannot install")


def test_demo_says_in_one_line_what_is_missing(checkout, environ, tmp_path):
    old = fake_program(tmp_path, environ, "python3", "exit 1")
    del old["PYTHON"]
    done = run(checkout / "deploy/demo", environ=old)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "Python 3.11" in done.stderr

    script = f'case "$*" in *ensurepip*) exit 1 ;; esac; exec "{sys.executable}" "$@"'
    without_venv = fake_program(tmp_path, old, "python3", script)
    done = run(checkout / "deploy/demo", environ=without_venv)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt install python3-venv" in done.stderr


def test_install_upgrade_and_uninstall(checkout, environ, tmp_path):
    root = Path(environ["DESTDIR"])
    done = run(checkout / "deploy/install.sh", environ=environ)
    assert done.returncode == 0, done.stderr

    program = next(
        line.split("=")[1].split()[0]
        for line in UNIT.read_text().splitlines()
        if line.startswith("ExecStart=")
    )
    installed = root / program.lstrip("/")
    assert json.loads(run(installed, "run", environ=environ).stdout)[1] == ["run"]
    link = root / "usr/local/bin/fer-edge"
    assert str(link.readlink()) == program, "what the README calls is on the PATH"
    assert (root / "etc/systemd/system/fer-edge.service").read_bytes() == UNIT.read_bytes()
    template = root / "etc/systemd/system/fer-edge@.service"
    assert template.read_bytes() == UNIT.with_name(template.name).read_bytes()
    config = root / "etc/fer-edge/config.toml"
    assert config.read_bytes() == EXAMPLE.read_bytes()
    assert str(Path("/") / config.relative_to(root)) in UNIT.read_text()
    assert config.stat().st_mode & 0o777 == 0o644
    settings = (root / "opt/fer-edge/venv/pyvenv.cfg").read_text()
    assert "include-system-site-packages = true" in settings

    before = state(root)
    done = run(checkout / "deploy/install.sh", environ=environ)
    assert done.returncode == 0, done.stderr
    assert "installed already" in done.stdout
    assert state(root) == before, "run twice it changes nothing"

    config.write_text("# mine\n")
    wheel = make_wheel(tmp_path, PROGRAM.replace("os.getcwd()", "'of the same version'"))
    done = run(checkout / "deploy/install.sh", wheel, environ=environ)
    assert done.returncode == 0, done.stderr
    assert json.loads(run(installed, environ=environ).stdout)[0] == "of the same version"
    assert config.read_text() == "# mine\n"
    assert len(list((root / "opt/fer-edge/versions").iterdir())) == 1, "the old one is gone"

    assert run(checkout / "deploy/uninstall.sh", environ=environ).returncode == 0
    assert not (root / "opt/fer-edge").exists()
    assert not link.is_symlink()
    assert not (root / "etc/systemd/system/fer-edge.service").exists()
    assert not template.exists()
    assert config.read_text() == "# mine\n"
    assert run(checkout / "deploy/uninstall.sh", "--purge", environ=environ).returncode == 0
    assert [path for path in root.rglob("*") if path.is_file()] == []


def make_wheel(folder, program):
    wheel = folder / "fer_edge-0.0.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in wheel_files().items():
            archive.writestr(path, program if text == PROGRAM else text)
    return wheel


def state(root):
    """Every file below a folder, with its time and content; links as they are."""
    return {
        str(path): path.readlink()
        if path.is_symlink()
        else (path.stat().st_mtime_ns, path.read_bytes())
        for path in root.rglob("*")
        if (path.is_file() or path.is_symlink()) and path.suffix != ".pyc"
    }


@pytest.fixture(scope="module")
def first_root(tmp_path_factory):
    """A root in which a version is installed, for all tests that must not change it."""
    folder = tmp_path_factory.mktemp("installed")
    environ = make_environ(folder)
    done = run(make_checkout(folder) / "deploy/install.sh", environ=environ)
    assert done.returncode == 0, done.stderr
    return Path(environ["DESTDIR"])


@pytest.fixture
def installed(first_root, environ):
    """The state of that root, which `environ` names."""
    environ["DESTDIR"] = str(first_root)
    return state(first_root)


BROKEN = {
    "an exception": "def main(): raise SystemExit('this version is broken')\n",
    "nothing recognised": "def main(): pass\n",
}


@pytest.mark.parametrize("program", BROKEN.values(), ids=BROKEN)
def test_a_version_that_does_not_run_changes_nothing(
    checkout, environ, tmp_path, installed, program
):
    done = run(checkout / "deploy/install.sh", make_wheel(tmp_path, program), environ=environ)
    assert done.returncode == 1
    assert "does not run the demo" in done.stderr.splitlines()[-1]
    assert state(Path(environ["DESTDIR"])) == installed


def test_a_damaged_wheel_changes_nothing(checkout, environ, tmp_path, installed):
    wheel = make_wheel(tmp_path, PROGRAM)
    wheel.write_bytes(wheel.read_bytes()[:100])
    done = run(checkout / "deploy/install.sh", wheel, environ=environ)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr.splitlines()[-1]
    assert state(Path(environ["DESTDIR"])) == installed


@pytest.mark.parametrize(
    "line",
    [
        "fer-edge-absent==1.0 --hash=sha256:" + "0" * 64,  # no network: pip finds nothing
        "fer-edge-absent==1.0",  # without a hash it is not even looked for
    ],
)
def test_packages_that_cannot_be_had_change_nothing(checkout, environ, installed, line):
    for lock in (checkout / "deploy/locks").glob("py*.txt"):
        lock.write_text(line + "\n")
    done = run(checkout / "deploy/install.sh", environ=environ)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr.splitlines()[-1]
    assert state(Path(environ["DESTDIR"])) == installed


def test_a_package_of_another_hash_is_refused(checkout, environ, tmp_path, installed):
    other = make_wheel(tmp_path, PROGRAM)
    for lock in (checkout / "deploy/locks").glob("py*.txt"):
        lock.write_text(f"fer-edge==0.0.1 --hash=sha256:{'0' * 64}\n")
    done = run(
        checkout / "deploy/install.sh", environ={**environ, "PIP_FIND_LINKS": str(other.parent)}
    )
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert state(Path(environ["DESTDIR"])) == installed


def test_too_little_space_is_said_before_anything_is_done(checkout, environ, tmp_path, installed):
    (checkout / "fer_edge/new.py").write_text("")
    df = "echo; echo disk 2000 1990 10 99% /"
    done = run(checkout / "deploy/install.sh", environ=fake_program(tmp_path, environ, "df", df))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "needs 1024 MB" in done.stderr
    assert state(Path(environ["DESTDIR"])) == installed


@pytest.mark.skipif(
    subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode
    != 0,
    reason="mounting a small disk needs root",
)
def test_a_disk_that_fills_up_changes_nothing(checkout, environ, tmp_path, installed):
    """The folder of versions is a small disk, on which nothing fits."""
    (checkout / "fer_edge/new.py").write_text("")
    quiet = fake_program(tmp_path, environ, "df", "echo; echo disk 2000 10 1990 1% /")
    versions = Path(environ["DESTDIR"], "opt/fer-edge/versions")
    script = (
        f"mount -t tmpfs -o size=64k none '{versions}' && '{checkout}/deploy/install.sh'; "
        f"status=$?; ls '{versions}'; exit $status"
    )
    done = run("unshare", "--mount", "/bin/sh", "-c", script, environ=quiet)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr.splitlines()[-1]
    assert done.stdout.splitlines()[1:] == [], "what was begun is gone"
    assert state(Path(environ["DESTDIR"])) == installed


def test_an_installation_of_before_is_taken_over(checkout, environ, tmp_path):
    """Versions before 0.2 had a folder where there is a link now."""
    old = Path(environ["DESTDIR"], "opt/fer-edge/venv")
    (old / "bin").mkdir(parents=True)
    (old / "bin/fer-edge").write_text("old")
    assert run(checkout / "deploy/install.sh", environ=environ).returncode == 0
    assert old.is_symlink()
    assert (old / "bin/fer-edge").read_text() != "old"


@pytest.mark.parametrize(
    "before",
    ["", "[mqtt]", "[mqtt]\nqos = 1\n[log]\nlevel = 'info'", "[log]\n[mqtt]\nurl = 'mqtt://old'\n"],
)
def test_the_broker_is_written_where_it_belongs(checkout, environ, before):
    config = Path(environ["DESTDIR"], "etc/fer-edge/config.toml")
    config.parent.mkdir(parents=True)
    config.write_text(before)
    command = (checkout / "deploy/install.sh", "--mqtt", "mqtt://broker:1883")
    done = run(*command, environ=environ)
    assert done.returncode == 0, done.stderr
    parsed = tomllib.loads(config.read_text())
    expected = tomllib.loads(before)
    expected.setdefault("mqtt", {})["url"] = "mqtt://broker:1883"
    assert parsed == expected
    assert "installed already" in run(*command, environ=environ).stdout


def test_the_broker_is_written_into_the_example(checkout, environ):
    command = (checkout / "deploy/install.sh", "--mqtt", "mqtt://broker")
    assert run(*command, environ=environ).returncode == 0
    config = Path(environ["DESTDIR"], "etc/fer-edge/config.toml")
    assert load(config, environ={}, overrides={}).mqtt.url == "mqtt://broker"
    changed = set(config.read_text().splitlines()) - set(EXAMPLE.read_text().splitlines())
    assert changed == {'url = "mqtt://broker"'}


@pytest.mark.parametrize("name", sorted(path.name for path in DEPLOY.glob("locks/*.txt")))
def test_locks_have_a_hash_for_everything_and_name_no_host(name):
    text = (DEPLOY / "locks" / name).read_text()
    requirements = text.replace("\\\n", " ").splitlines()
    assert len(requirements) > 5
    for line in requirements:
        assert re.match(r"[\w.-]+==[\w.]+ .*--hash=sha256:[0-9a-f]{64}", line), line
    assert "://" not in text


def test_locks_hold_what_the_project_asks_for():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    locks = list(DEPLOY.glob("locks/py*.txt"))
    assert len(locks) == 6
    for lock in locks:
        pinned = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(), flags=re.MULTILINE))
        for asked in map(Requirement, project["project"]["dependencies"]):
            assert pinned[asked.name] in asked.specifier, f"{lock.name}: {asked}; run deploy/lock"


@pytest.mark.parametrize(
    ("program", "script"),
    [("uname", "echo armv7l"), ("getconf", "echo 32")],  # 32-bit kernel; 64-bit kernel only
)
def test_install_refuses_32_bits_in_one_line(checkout, environ, tmp_path, program, script):
    done = run(
        checkout / "deploy/install.sh",
        environ=fake_program(tmp_path, environ, program, script),
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "64-bit Raspberry Pi OS" in done.stderr
    assert not Path(environ["DESTDIR"]).exists()


@pytest.mark.parametrize("argument", ["--nonsense", "nothing.whl", "notes.txt"])
def test_install_refuses_what_it_does_not_know(checkout, environ, argument):
    done = run(checkout / "deploy/install.sh", argument, environ=environ)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert not Path(environ["DESTDIR"]).exists()


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="setpriv is missing")
@pytest.mark.parametrize("name", ["install.sh", "uninstall.sh"])
def test_root_is_asked_for(environ, name):
    del environ["DESTDIR"]
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    # The checkout, and pytest's own folder, may be readable for root alone.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(DEPLOY, Path(folder, "deploy"))
        done = run(*as_nobody, "/bin/sh", Path(folder, "deploy", name), environ=environ)
    assert done.returncode == 1
    assert "must be root" in done.stderr


# --- The broker ------------------------------------------------------------------------------------

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def broker(tmp_path):
    """A real mosquitto with the example's rules; its port."""
    assert MOSQUITTO, "mosquitto is not installed; tests/run does it"
    shutil.copy(DEPLOY / "mosquitto/fer-edge.acl", tmp_path)
    passwords = tmp_path / "fer-edge.passwd"
    for user in ("livingroom", "kitchen", "homeassistant"):
        flags = ["-b"] if passwords.exists() else ["-b", "-c"]
        subprocess.run(["mosquitto_passwd", *flags, passwords, user, "secret"], check=True)
    for path in tmp_path.glob("fer-edge.*"):
        path.chmod(0o644)  # mosquitto gives up root
    tmp_path.chmod(0o755)
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    text = (DEPLOY / "mosquitto/fer-edge.conf").read_text()
    text = text.replace("/etc/mosquitto/", f"{tmp_path}/")
    config.write_text(text.replace("listener 1883", f"listener {port} 127.0.0.1\nuser root"))
    with subprocess.Popen([MOSQUITTO, "-c", config], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None, "mosquitto did not start"
                time.sleep(0.02)
        yield port
        process.terminate()


class Client:
    """A connected client that keeps what it receives."""

    def __init__(self, port, user, password="secret"):
        self.messages = []
        self.refused = None
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if user:
            self.client.username_pw_set(user, password)
        self.client.on_message = lambda _c, _u, m: self.messages.append((m.topic, m.payload))
        self.client.on_connect = self._connected
        self.client.connect("127.0.0.1", port)
        self._until(lambda: self.refused is not None)

    def _connected(self, client, userdata, flags, reason, properties):
        self.refused = reason.is_failure

    def _until(self, done):
        deadline = time.monotonic() + 10
        while not done():
            assert time.monotonic() < deadline
            self.client.loop(0.05)

    def subscribe(self, topic):
        answers = []
        self.client.on_subscribe = lambda *_: answers.append(1)
        self.client.subscribe(topic, 1)
        self._until(lambda: answers)

    def publish(self, topic, payload):
        answer = self.client.publish(topic, payload, qos=1)
        self._until(answer.is_published)

    def close(self):
        self.client.disconnect()
        self.client.loop(0.05)
        # paho closes its sockets when it is collected, and a callback would keep it from that.
        self.client.on_message = self.client.on_connect = self.client.on_subscribe = None

    def receive(self, last):
        self._until(lambda: last in [payload for _, payload in self.messages])
        return [topic for topic, _ in self.messages]


@pytest.fixture
def connect(broker):
    """Connects clients that are closed after the test."""
    with contextlib.ExitStack() as stack:

        def make(*credentials):
            client = Client(broker, *credentials)
            stack.callback(client.close)
            return client

        yield make


def test_broker_lets_nobody_in_without_a_password(connect):
    assert connect(None).refused
    assert connect("livingroom", "wrong").refused
    assert not connect("livingroom").refused


def test_a_device_writes_only_below_its_own_name(connect):
    home = connect("homeassistant")
    home.subscribe("fer-edge/#")
    home.subscribe("homeassistant/#")
    device = connect("livingroom")
    for topic in (
        "fer-edge/kitchen/state",
        "fer-edge/state",
        "homeassistant/device/fer_edge_kitchen/config",
        "homeassistant/device/fer_edge_livingroom/config",
        "fer-edge/livingroom/state",
    ):
        device.publish(topic, b"x")
    device.publish("fer-edge/livingroom/faces", b"last")
    assert home.receive(b"last") == [
        "homeassistant/device/fer_edge_livingroom/config",
        "fer-edge/livingroom/state",
        "fer-edge/livingroom/faces",
    ]


def test_devices_cannot_read_each_other(connect):
    kitchen = connect("kitchen")
    kitchen.subscribe("#")
    living_room = connect("livingroom")
    living_room.subscribe("homeassistant/status")
    kitchen.publish("fer-edge/kitchen/state", b"private")
    connect("homeassistant").publish("homeassistant/status", b"online")
    assert living_room.receive(b"online") == ["homeassistant/status"]
    kitchen.client.loop(0.2)
    assert kitchen.messages == []
