"""The program as a user or systemd runs it, without a broker."""

import collections
import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from os import mkfifo
from pathlib import Path

import jsonschema
import psutil
import pytest
from daemon import PROGRAM, START_S, NotifySocket, call, environment, running
from streams import camera, demo_jpegs

from fer_edge.sinks.payload import load_schema
from fer_edge.types import EMOTIONS

DEMO = ["run", "--source", "demo", "--fast", "--set", "source.frames=20"]


@pytest.fixture
def notify(tmp_path):
    listener = NotifySocket(tmp_path)
    yield listener
    listener.close()


def test_the_demo_prints_a_happy_face():
    with running("--source", "demo") as daemon:
        daemon.wait_for(lambda: len(daemon.lines) >= 60)
        assert daemon.stop() < 2
    assert daemon.process.returncode == 0
    emotions = collections.Counter()
    for message in daemon.messages():
        jsonschema.validate(message, load_schema())
        emotions.update(face["emotion"] for face in message["faces"])
    assert emotions["happy"] > 0.8 * emotions.total()
    assert not [line for line in daemon.errors if "Traceback" in line or "INFO: Created" in line]


def test_every_frame_of_a_recording_in_order():
    done = call("run", "--source", "demo", "--fast", "--set", "source.frames=40")
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    seqs = [message["seq"] for message in messages]
    assert seqs == list(range(seqs[0], 40))
    assert {face["id"] for message in messages for face in message["faces"]} == {1}
    stamps = [message["captured_at"] for message in messages]
    assert stamps == sorted(stamps)


@pytest.fixture
def terminal():
    """As if the tests were started from a terminal, whose signals nohup and `&` have ignored."""
    usual = {signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("terminal")
def test_ctrl_c_ends_it_in_order():
    with running("--source", "demo") as daemon:
        daemon.wait_for(lambda: daemon.lines)
        assert daemon.stop(signal.SIGINT) < 2
    assert daemon.process.returncode == 0
    assert not any("Traceback" in line for line in daemon.errors)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("prefix", "survives"), [([], False), (["nohup"], True)])
def test_a_terminal_that_is_closed_ends_it_unless_nohup_was_asked_for(prefix, survives):
    command = [*prefix, *PROGRAM, "run", "--source", "demo", "--output", "jsonl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        process.stdout.readline()
        if survives:
            assert process.poll() is None
            process.terminate()
        process.stdout.read()
        assert process.wait(10) == 0


INTERRUPTED = """
import signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == "typer":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from fer_edge.__main__ import main
main()
"""


@pytest.mark.usefixtures("terminal")
def test_ctrl_c_before_anything_has_begun():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_that_leaves_is_no_error():
    command = [*PROGRAM, "run", "--source", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 0
        assert b"fer-edge: " not in process.stderr.read()


def test_a_reader_that_pauses_does_not_delay_the_end():
    command = [*PROGRAM, "run", "--source", "demo", "--output", "jsonl", *SMALL_AND_QUICK]
    env = environment(PYTHONUNBUFFERED="")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as end:
        assert end.stdout.readline()
        time.sleep(3)  # the pipe holds 64 kB
        started = time.monotonic()
        end.terminate()
        assert end.wait(10) == 0
        assert time.monotonic() - started < 2
        assert b"left behind, still busy: sink-jsonl" in end.stderr.read()


def test_a_recording_whose_reader_has_paused_ends_when_asked():
    command = [*PROGRAM, "run", "--source", "demo", "--output", "jsonl", *SMALL_AND_QUICK]
    with subprocess.Popen(
        [*command, "--fast"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as end:
        assert end.stdout.readline()
        time.sleep(2)
        end.terminate()
        assert end.wait(10) == 0
        assert b"left behind" in end.stderr.read()


SMALL_AND_QUICK = ["--set", "source.fps=200"]
SMALL_AND_QUICK += ["--set", "source.width=320", "--set", "source.height=180"]


def test_json_lines_to_a_file_as_well(tmp_path):
    path = tmp_path / "faces.jsonl"
    done = call(
        "run", "--source", "demo", "--fast", "--set", "source.frames=30", "--jsonl", path,
        "--output", "none",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert len(path.read_text().splitlines()) > 20


def test_two_faces_have_two_ids():
    done = call("run", "--source", "demo", "--fast", "--set", "source.frames=60",
                "--set", "source.faces=2")  # fmt: skip
    last = json.loads(done.stdout.splitlines()[-1])
    assert len({face["id"] for face in last["faces"]}) == 2
    areas = [face["box"]["width"] * face["box"]["height"] for face in last["faces"]]
    assert areas == sorted(areas, reverse=True)


# --- systemd -------------------------------------------------------------------------------------


def test_systemd_hears_ready_watchdog_status_and_stopping(notify):
    extra = {"NOTIFY_SOCKET": str(notify.path), "WATCHDOG_USEC": "2000000"}
    with running("--source", "demo", "--output", "none", **extra) as daemon:
        daemon.wait_for(lambda: ("READY", "1") in notify.listen(0.2))
        heard = notify.listen(4)
        assert heard.count(("WATCHDOG", "1")) >= 2
        statuses = [value for key, value in notify.heard if key == "STATUS"]
        assert any(status.endswith("frames/s, 1 face") for status in statuses)
        daemon.stop()
    assert ("STOPPING", "1") in notify.listen(0.2)
    assert daemon.process.returncode == 0


def test_a_hanging_source_is_no_progress(notify, tmp_path):
    """A pipe that nobody writes to: the reader blocks in the kernel, as in a camera's driver."""
    pipe = tmp_path / "camera.mp4"
    mkfifo(pipe)
    extra = {"NOTIFY_SOCKET": str(notify.path), "WATCHDOG_USEC": "1000000"}
    with running("--source", pipe, **extra) as daemon:
        assert notify.listen(4) == []
        assert daemon.process.poll() is None
        assert daemon.stop() < 2, "a thread that hangs does not delay the end"
    assert daemon.process.returncode == 0
    assert any("left behind" in line and "capture" in line for line in daemon.errors)


def test_a_stream_that_stops_in_the_middle_is_no_progress(notify, tmp_path):
    """The demo, written by ffmpeg into a pipe until it is stopped, as a camera that hangs."""
    pipe = tmp_path / "camera.mjpeg"
    mkfifo(pipe)
    command = ["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=30"]
    writer = subprocess.Popen([*command, "-c:v", "mjpeg", "-f", "mjpeg", "-y", pipe])
    extra = {"NOTIFY_SOCKET": str(notify.path), "WATCHDOG_USEC": "2000000"}
    try:
        with running("--source", pipe, **extra) as daemon:
            daemon.wait_for(lambda: ("WATCHDOG", "1") in notify.listen(0.2))
            writer.send_signal(signal.SIGSTOP)
            # FFmpeg has read some seconds ahead.
            silences = (("WATCHDOG", "1") not in notify.listen(3) for _ in range(8))
            assert any(silences)
            assert daemon.process.poll() is None
            writer.send_signal(signal.SIGCONT)
            daemon.wait_for(lambda: ("WATCHDOG", "1") in notify.listen(0.2))
    finally:
        writer.kill()
        writer.wait()


def test_an_absent_camera_is_ready_retrying_and_alive(notify):
    extra = {"NOTIFY_SOCKET": str(notify.path), "WATCHDOG_USEC": "2000000"}
    with running("--source", "http://127.0.0.1:9/none", "--set", "retry.max_s=0.5", **extra) as it:
        it.wait_for(lambda: ("READY", "1") in notify.listen(0.2))
        heard = notify.listen(3)
        assert heard.count(("WATCHDOG", "1")) >= 2
        statuses = [value for key, value in notify.heard if key == "STATUS"]
        assert any(status.startswith("no pictures: http://127.0.0.1:9") for status in statuses)
        it.stop()
    assert it.process.returncode == 0
    assert len([line for line in it.errors if "trying again" in line]) == 1


# --- bench, schema, config -----------------------------------------------------------------------


def test_bench_prints_every_figure_as_json():
    done = call("bench", "--alpha", "0.25", "--frames", "20", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    (run,) = report["runs"]
    assert set(run["stages"]) == {"capture_decode", "detect", "classify", "publish_encode", "whole"}
    for timing in run["stages"].values():
        assert 0 < timing["p50_ms"] <= timing["p95_ms"]
        assert timing["mean_ms"] > 0
    assert run["frames"] == 20
    assert run["faces_per_frame"] == 1
    assert run["frames_per_second"] == pytest.approx(
        1000 / run["stages"]["whole"]["mean_ms"], rel=0.01
    )
    assert run["peak_rss_mb"] > 20
    assert {"temperature_before_c", "temperature_after_c"} <= set(run)
    board = report["board"]
    assert {"model", "cores", "clock_mhz", "governor", "temperature_c", "throttled"} <= set(board)
    assert board["cores"] >= 1
    assert board["libraries"]["numpy"]
    assert report["reference"]["classify_ms"]["0.25"] == 108
    assert "Raspberry Pi 4" in report["reference"]["machine"]


def test_bench_skips_a_picture_that_cannot_be_decoded():
    (picture,) = demo_jpegs(1)
    headers_only = bytes.fromhex("ffd8 ffc0 000b 08 0168 0280 01 01 11 00 ffd9")
    with camera([picture, picture, headers_only], fps=100) as server:
        done = call("bench", "--frames", "20", "--json", "--source", server.url)
    assert done.returncode == 0, done.stderr
    assert "is corrupt" in done.stderr
    assert json.loads(done.stdout)["runs"][0]["frames"] >= 5


def test_bench_of_every_model_as_a_table():
    done = call("bench", "--all", "--frames", "5", "--source", "demo")
    assert done.returncode == 0, done.stderr
    assert "mobilenet_v1_0.25_112_int8" in done.stdout
    assert "mobilenet_v1_0.25_112_float32" in done.stdout
    assert "thesis" in done.stdout


def test_schema_is_a_schema():
    done = call("schema")
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


def test_config_prints_what_is_in_effect(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('[mqtt]\nurl = "mqtts://broker"\npassword_file = "/run/secret"\n')
    done = call("config", "--config", path, FER_EDGE__MODEL__ALPHA="0.5")
    assert 'url = "mqtts://broker"' in done.stdout
    assert "alpha = 0.5" in done.stdout


# --- Bad input: one line, the right exit code, no traceback --------------------------------------


def complaint(done, code):
    """The last line of standard error, which names the program."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    *before, line = done.stderr.splitlines()
    # Before it only what our own log says, and nothing of any library.
    assert all(" INFO fer_edge." in other for other in before), done.stderr
    assert line.startswith("fer-edge: ")
    return line


def test_missing_alpha():
    line = complaint(call("bench", "--alpha", "0.3", "--json"), 78)
    assert "alpha 0.3" in line
    assert "choose alpha 0.25" in line


def test_wrong_key(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("[model]\nalhpa = 0.25\n")
    line = complaint(call("run", "--config", path), 78)
    assert line == f"fer-edge: {path}: model.alhpa: unknown key; did you mean alpha?"


def test_truncated_model(tmp_path):
    from fer_edge.modelcard import find_card, models_dir

    card = find_card(models_dir(), 0.25, "int8")
    (tmp_path / f"{card.name}.json").write_text(card.model_dump_json())
    (tmp_path / card.file).write_bytes((models_dir() / card.file).read_bytes()[:1000])
    done = call("run", "--source", "demo", "--set", f"model.directory={tmp_path}")
    assert str(tmp_path / card.file) in complaint(done, 78)


def test_text_that_calls_itself_a_video(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_text("this is no video\n" * 100)
    for fast in ([], ["--fast"]):
        assert str(path) in complaint(call("run", "--source", path, *fast), 66)


def test_missing_cascade(tmp_path):
    path = tmp_path / "none.xml"
    done = call("run", "--source", "demo", "--set", f"detector.cascade={path}")
    assert complaint(done, 78).startswith(f"fer-edge: detector.cascade: {path} is not there; ")


def test_without_a_camera_the_service_waits_for_one_and_says_so(notify):
    assert not list(Path("/dev").glob("video*")), "this test is for a machine without a camera"
    with running("--output", "none", NOTIFY_SOCKET=str(notify.path)) as daemon:
        daemon.wait_for(lambda: "READY" in dict(notify.listen(0.1)))
        status = [value for key, value in notify.heard if key == "STATUS"]
        assert "no pictures: no camera found; plug one in" in status[0]
        daemon.wait_for(lambda: daemon.errors)
        assert daemon.stop() < 3
    assert daemon.process.returncode == 0
    (line,) = [line for line in daemon.errors if "no camera found" in line]
    assert "--source demo" in line


def test_a_measurement_without_a_camera_ends_at_once():
    assert "no camera found" in complaint(call("bench", "--source", "auto"), 66)


@pytest.mark.parametrize("fast", [[], ["--fast"]], ids=["at its pace", "fast"])
def test_a_pipe_that_nobody_writes_does_not_delay_the_end(tmp_path, fast):
    pipe = tmp_path / "clip.mp4"
    mkfifo(pipe)
    with running("--source", pipe, "--output", "none", *fast) as daemon:
        daemon.wait_for(lambda: any("source" in line for line in daemon.errors))
        process = psutil.Process(daemon.process.pid)
        daemon.wait_for(lambda: stands_still(process) or not fast)
        assert daemon.stop() < 4
    assert daemon.process.returncode == 0


def test_a_start_that_waits_for_a_file_ends_when_asked(tmp_path):
    pipe = tmp_path / "password"
    mkfifo(pipe)
    settings = ["mqtt.url=mqtt://127.0.0.1", "mqtt.username=me", f"mqtt.password_file={pipe}"]
    options = [part for one in settings for part in ("--set", one)]
    with running("--source", "demo", "--output", "none", *options) as daemon:
        process = psutil.Process(daemon.process.pid)
        daemon.wait_for(lambda: catches_sigterm(process.pid) and stands_still(process))
        assert daemon.stop() < 5
        assert daemon.process.returncode == 0


def catches_sigterm(pid):
    """Whether the process has a handler of its own (proc_pid_status(5))."""
    (line,) = re.findall(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(int(line, 16) & 1 << (signal.SIGTERM - 1))


def stands_still(process):
    """Whether it uses no processor time for a moment."""
    before = process.cpu_times()
    time.sleep(0.3)
    return process.cpu_times() == before


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_camera_that_never_answers_does_not_delay_the_end(scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/stream"
        options = ["--set", "source.open_timeout_s=60", "--output", "none"]
        with running("--source", url, *options) as daemon:
            silent.settimeout(START_S)
            connection, _ = silent.accept()
            with connection:
                assert daemon.stop() < 4
                assert daemon.process.returncode == 0


def test_no_such_source():
    assert "no such file or folder" in complaint(call("run", "--source", "nowhere.mp4"), 78)


def test_a_file_that_cannot_be_written(tmp_path):
    path = tmp_path / "none" / "faces.jsonl"
    done = call("run", "--source", "demo", "--jsonl", path)
    assert str(path) in complaint(done, 74)


def test_a_full_disk():
    done = call("run", "--source", "demo", "--fast", "--output", "none", "--jsonl", "/dev/full")
    assert "No space left on device" in complaint(done, 74)


@pytest.mark.parametrize(
    "command", [["--help"], ["config"], ["schema"], ["run", "--source", "demo"]]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_that_takes_no_more(command, unbuffered):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, *command],
            env=environment(PYTHONUNBUFFERED=unbuffered),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 74, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("fer-edge: standard output: cannot write: No space left on device; ")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_started_without_standard_streams(closed, tmp_path):
    lines = tmp_path / "faces.jsonl"
    command = shlex.join([*PROGRAM, *DEMO, "--jsonl", str(lines)])
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {command} {closed}"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(json.loads(line)["faces"] for line in lines.read_text().splitlines())


def test_json_is_utf_8_whatever_the_locale_is():
    arguments = [*DEMO, "--output", "jsonl", "--set", "device=küche"]
    done = call(*arguments, PYTHONIOENCODING="latin-1", text=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0].decode())["device"] == "küche"


def test_a_section_that_was_given_a_value():
    done = call("config", "--set", "model=0.5", "--set", "model.threads=2")
    assert complaint(done, 78) == "fer-edge: --set model=0.5: is a section; set a field of it"


def test_debug_shows_where(tmp_path):
    done = call("--debug", "bench", "--alpha", "0.3")
    assert "Traceback" in done.stderr
    assert done.returncode != 0


# --- Recordings from the datasets ----------------------------------------------------------------


@pytest.mark.data
def test_an_animation_without_a_face_publishes_none(data):
    done = call("run", "--source", data / "clips" / "no_face.mp4", "--fast")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.data
def test_neutral_becomes_happy(data):
    done = call("run", "--source", data / "clips" / "single_face.mp4", "--fast")
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    emotions = [message["faces"][0]["emotion"] for message in messages if message["faces"]]
    assert emotions[0] == "neutral"
    assert emotions[-1] == "happy"
    assert len({face["id"] for message in messages for face in message["faces"]}) == 1


@pytest.mark.data
def test_a_recording_at_its_own_pace(data):
    started = time.monotonic()
    done = call("run", "--source", data / "clips" / "single_face.mp4")
    assert done.returncode == 0
    # From the first of 72 frames to the last, at 30 a second; it cannot have been quicker.
    assert time.monotonic() - started > 71 / 30
    assert json.loads(done.stdout.splitlines()[-1])["seq"] >= 65


def test_emotions_of_the_schema_are_the_models():
    enum = json.dumps(load_schema())
    assert all(f'"{emotion}"' in enum for emotion in EMOTIONS)
