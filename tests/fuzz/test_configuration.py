"""Whatever a setting holds: exit code 0 or 78, and one line, wherever it was written."""

import contextlib
import io
import math
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settings import SETTINGS, document, text, values

from fer_edge.affect import open_classifier
from fer_edge.cli import main
from fer_edge.config import load
from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.overlay import CameraSlot, screen_opener
from fer_edge.sinks import open_sinks
from fer_edge.sources import open_source
from fer_edge.vision.detectors import open_detector

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "250"))

fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Run `fer-edge` in this process: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        output, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["fer-edge", *arguments])
            with (
                contextlib.redirect_stdout(output),
                contextlib.redirect_stderr(errors),
                pytest.raises(SystemExit) as ended,
            ):
                main()
            output.flush()
            return ended.value.code, output.buffer.getvalue().decode(), errors.getvalue()

    return run


def check(code, output, errors):
    """Either the configuration, or one line that names the place."""
    assert code in {0, 78}, errors
    assert "Traceback" not in errors
    if code:
        assert errors.startswith("fer-edge: ")
        assert errors.count("\n") == 1
        assert output == ""
    else:
        assert errors == ""


@fuzz
@given(setting=st.sampled_from(SETTINGS), value=values)
def test_a_value_in_the_file(command, setting, value):
    path, kind = setting
    Path("c.toml").write_text(document(path, kind, value), encoding="utf-8")
    check(*command("config", "--config", "c.toml"))


@fuzz
@given(setting=st.sampled_from(SETTINGS), value=text)
def test_a_value_on_the_command_line(command, setting, value):
    path, kind = setting
    arguments = ["--set", f"{path[0]}.type={kind}"] if kind and len(path) == 2 else []
    check(*command("config", *arguments, "--set", f"{'.'.join(path)}={value}"))


@fuzz
@given(setting=st.sampled_from(SETTINGS), value=text.filter(lambda one: "\0" not in one))
def test_a_value_in_the_environment(command, setting, value):
    path, kind = setting
    with pytest.MonkeyPatch.context() as patch:
        if kind and len(path) == 2:
            patch.setenv(f"FER_EDGE__{path[0]}__TYPE".upper(), kind)
        patch.setenv(f"FER_EDGE__{'__'.join(path)}".upper(), value)
        check(*command("config"))


@fuzz
@given(setting=st.sampled_from(SETTINGS), value=values)
def test_what_is_accepted_can_be_used_or_is_refused_in_one_line(tmp_path, setting, value):
    path, kind = setting
    file = tmp_path / "c.toml"
    file.write_text(document(path, kind, value), encoding="utf-8")
    try:
        config = load(file, environ={})
    except ConfigError:
        return
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(FerEdgeError):
        patch.chdir(tmp_path)
        for part in USED[path[0]]:
            part(config)


def sinks(config):
    for sink in open_sinks(config, dict):
        sink.close()


def screen(config):
    if config.overlay.screen != "none":
        screen_opener(config.overlay, CameraSlot())


USED = {
    "device": [sinks],
    "source": [lambda config: open_source(config.source).name],
    "retry": [],
    "detector": [lambda config: open_detector(config.detector)],
    "tracking": [],
    "model": [lambda config: open_classifier(config.model)],
    "output": [],
    "jsonl": [sinks],
    "mqtt": [sinks],
    "overlay": [screen],
    "log": [],
}
"""What reads each section when the service starts; numbers have bounds of their own."""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_is_endless_or_none(tmp_path, value):
    file = tmp_path / "c.toml"
    for path, kind in SETTINGS:
        file.write_text(document(path, kind, value), encoding="utf-8")
        with pytest.raises(ConfigError):
            load(file, environ={})
