"""Two cameras of one machine, each served by a process of its own, as fer-edge@NAME does."""

import shlex
from pathlib import Path

from broker import Broker, Recorder, wait_for
from daemon import START_S, running

TEMPLATE = Path(__file__).parents[2] / "systemd" / "fer-edge@.service"
FACES = {"door": 1, "hall": 2}


def started(name, folder):
    """The arguments after `run`, and the environment, that systemd gives the instance `name`."""
    text = TEMPLATE.read_text().replace("%i", name)
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    arguments = shlex.split(lines["ExecStart"].replace("/etc/fer-edge", str(folder)))[2:]
    variable, _, value = lines["Environment"].partition("=")
    return arguments, {variable: value}


def test_two_cameras_are_two_devices(tmp_path):
    with Broker(tmp_path) as broker, Recorder(broker) as seen:
        for name, faces in FACES.items():
            (tmp_path / f"{name}.toml").write_text(
                f'[source]\ntype = "demo"\nwidth = 960\nheight = 540\nfps = 10\nfaces = {faces}\n'
                f'[mqtt]\nurl = "{broker.url}"\n'
            )
        (door, door_environ), (hall, hall_environ) = (started(name, tmp_path) for name in FACES)

        def sees(name, faces):
            messages = [message.json for message in seen.on(f"fer-edge/{name}/faces")]
            return [one for one in messages if len(one["faces"]) == faces]

        with running(*door, **door_environ) as first, running(*hall, **hall_environ) as second:
            for name, faces in FACES.items():
                wait_for(lambda name=name, faces=faces: sees(name, faces), 2 * START_S)
            assert {one["device"] for one in sees("hall", 2)} == {"hall"}
            first.stop()
            wait_for(lambda: seen.payloads("fer-edge/door/availability")[-1:] == [b"offline"])
            before = len(seen.on("fer-edge/hall/faces"))
            wait_for(lambda: len(seen.on("fer-edge/hall/faces")) > before)
            assert b"offline" not in seen.payloads("fer-edge/hall/availability")
            second.stop()
            assert (first.process.returncode, second.process.returncode) == (0, 0)
