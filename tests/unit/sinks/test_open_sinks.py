import io
import os
import pty
from contextlib import ExitStack

import pytest

from fer_edge.camera import CameraState
from fer_edge.config import Config, JsonlConfig, MqttConfig, OutputConfig
from fer_edge.errors import ConfigError, SinkError
from fer_edge.sinks import open_output, open_sinks


def no_diagnostics():
    return {}


def names(**sections):
    with ExitStack() as closing:
        found = []
        for sink in open_sinks(Config(device="kitchen", **sections), no_diagnostics, CameraState()):
            closing.callback(sink.close)
            sink.start()
            found.append(sink.name)
        return found


def test_any_number_at_once(tmp_path, unused_port):
    assert names() == []
    assert names(
        jsonl=JsonlConfig(path=tmp_path / "faces.jsonl"),
        mqtt=MqttConfig(url=f"mqtt://127.0.0.1:{unused_port}"),
    ) == ["jsonl", "mqtt"]


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_one_that_fails_closes_those_before_it(tmp_path):
    path = tmp_path / "faces.jsonl"
    with pytest.raises(ConfigError, match="ca_file"):
        names(
            jsonl=JsonlConfig(path=path),
            mqtt=MqttConfig(url="mqtts://b", ca_file=tmp_path / "missing"),
        )
    # An open file would be reported as a ResourceWarning, which is an error here.
    with pytest.raises(SinkError):
        names(jsonl=JsonlConfig(path=tmp_path / "nowhere" / "faces.jsonl"))


def test_a_terminal_gets_a_table():
    master, slave = pty.openpty()
    try:
        with os.fdopen(slave, "w") as terminal:
            sink = open_output(OutputConfig(), "kitchen", terminal)
            assert sink.name == "table"
            sink.start()
            sink.close()
    finally:
        os.close(master)


def test_a_pipe_gets_json_lines_and_the_journal_nothing(monkeypatch):
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "w") as pipe:
        assert open_output(OutputConfig(), "kitchen", pipe).name == "jsonl"
        status = os.fstat(pipe.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        assert open_output(OutputConfig(), "kitchen", pipe) is None
        assert open_output(OutputConfig(stdout="jsonl"), "kitchen", pipe).name == "jsonl"


def test_what_is_asked_for_is_not_second_guessed():
    assert open_output(OutputConfig(stdout="none"), "kitchen", io.StringIO()) is None
    sink = open_output(OutputConfig(stdout="table"), "kitchen", io.StringIO())
    assert sink.name == "table"
    sink.close()
