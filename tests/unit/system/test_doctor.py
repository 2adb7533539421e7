"""Each check with its good and its bad case: real processes, sockets and files."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from fer_edge.sources.fakes_v4l2 import FakeVideoDevice
from fer_edge.system._cameras import CsiCameras, VideoDevice, csi_cameras, video_devices
from fer_edge.system._checks import Check
from fer_edge.system._offers import offers
from fer_edge.system._probe import probe
from fer_edge.system.doctor import (
    check_broker,
    check_cameras,
    check_config,
    check_group,
    check_interpreter,
    check_models,
    check_opencv,
    check_picamera2,
    check_platform,
    check_service_manager,
    check_throttling,
    checks,
    exit_code,
)
from fer_edge.video4linux import open_ioctl


def package(tmp_path, name, code, module="__init__"):
    """An environment in which Python finds a package of that name before any other."""
    folder = tmp_path / "site" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / f"{module}.py").write_text(code)
    return {**os.environ, "PYTHONPATH": str(folder.parent)}


@pytest.mark.parametrize(
    ("machine", "bits", "python", "ok", "word"),
    [
        ("aarch64", 64, (3, 13), True, "64-bit Python 3.13 on aarch64"),
        ("x86_64", 64, (3, 11), True, "x86_64"),
        ("armv7l", 32, (3, 11), False, "64-bit Raspberry Pi OS"),
        ("aarch64", 32, (3, 11), False, "64-bit Raspberry Pi OS"),  # 64-bit kernel, 32-bit system
        ("aarch64", 64, (3, 9), False, "Python 3.11"),
    ],
)
def test_platform(machine, bits, python, ok, word):
    check = check_platform(machine, bits, python)
    assert check.ok is ok
    assert word in check.detail + check.remedy


def test_a_probe_survives_errors_and_crashes():
    assert probe("print('yes')", os.environ).answer == "yes"
    assert probe("import nothing_of_that_name", os.environ).answer == (
        "ModuleNotFoundError: No module named 'nothing_of_that_name'"
    )
    crash = probe("import os; os.abort()", os.environ)
    assert (crash.ok, crash.answer) == (False, "crashed with signal 6")


def test_opencv_that_is_here_has_cascades():
    assert check_opencv(os.environ).ok


def test_opencv_5_has_no_cascades(tmp_path):
    check = check_opencv(package(tmp_path, "cv2", "__version__ = '5.0.0'"))
    assert check.ok is False
    assert "<5" in check.remedy


def test_the_interpreter_that_is_here_is_named():
    check = check_interpreter(os.environ)
    assert check.ok
    assert check.detail in {"ai-edge-litert", "tflite-runtime"}


def test_tflite_runtime_is_good_enough(tmp_path):
    broken = "raise ImportError('libc is too old')"
    environ = package(tmp_path, "ai_edge_litert", broken, "interpreter")
    package(tmp_path, "tflite_runtime", "class Interpreter: ...", "interpreter")
    assert check_interpreter(environ).detail == "tflite-runtime"

    package(tmp_path, "tflite_runtime", "raise ImportError('numpy 2')", "interpreter")
    check = check_interpreter(environ)
    assert check.ok is False
    assert "libc is too old" in check.detail
    assert "numpy 2" in check.detail


def test_models_are_checked_against_their_cards(tmp_path):
    check = check_models(tmp_path)
    assert check.ok is False
    assert str(tmp_path) in check.detail

    (tmp_path / "model.json").write_text("{}")
    check = check_models(tmp_path)
    assert check.ok is False
    assert "model.json" in check.detail


PICAMERA2 = """
class Picamera2:
    @staticmethod
    def global_camera_info():
        print("[0:01:02] INFO Camera camera_manager.cpp")
        return [{"Model": "imx219", "Location": 2, "Rotation": 180, "Id": "/base/imx219@10", "Num": 0}]
"""


def test_csi_cameras_are_those_of_picamera2(tmp_path):
    csi = csi_cameras(package(tmp_path, "picamera2", PICAMERA2))
    assert csi == CsiCameras(("picamera2:0 (imx219)",))
    assert check_picamera2(csi, required=True).ok
    check = check_cameras(csi, [], required=True)
    assert (check.ok, check.detail) == (True, "picamera2:0 (imx219)")


def test_picamera2_with_the_wrong_numpy_says_which_is_right(tmp_path):
    code = "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')"
    csi = csi_cameras(package(tmp_path, "picamera2", code))
    check = check_picamera2(csi, required=False)
    assert check.ok is False
    assert "numpy<2" in check.remedy


def test_picamera2_is_missed_only_where_it_is_needed(tmp_path):
    environ = package(tmp_path, "picamera2", "raise ImportError(\"No module named 'picamera2'\")")
    csi = csi_cameras(environ)
    assert check_picamera2(csi, required=False).ok is None
    assert "apt install" in check_picamera2(csi, required=True).remedy

    damaged = replace(csi, installed=True, problem="No module named 'libcamera'")
    assert check_picamera2(damaged, required=False).ok is False


def test_video_devices_without_the_boards_own(pi):
    assert video_devices(pi) == []
    webcam = pi / "sys/class/video4linux/video2"
    webcam.mkdir()
    (webcam / "name").write_text("HD Pro Webcam C920\n")
    assert video_devices(pi) == [VideoDevice("/dev/video2", "HD Pro Webcam C920", False)]
    (pi / "dev").mkdir()
    (pi / "dev/video2").touch()
    assert video_devices(pi)[0].accessible


def test_no_camera_matters_only_to_a_source_that_needs_one():
    nothing = CsiCameras(problem="not installed", installed=False)
    assert check_cameras(nothing, [], required=False).ok is None
    assert "--source demo" in check_cameras(nothing, [], required=True).remedy


def test_a_camera_that_may_not_be_opened():
    nothing = CsiCameras()
    closed = VideoDevice("/dev/video0", "C920", accessible=False)
    check = check_cameras(nothing, [closed], required=True)
    assert check.ok is False
    assert "usermod" in check.remedy
    metadata = replace(closed, device="/dev/video1", accessible=True)
    assert check_cameras(nothing, [closed, metadata], required=True).ok


@pytest.mark.parametrize(
    ("groups", "is_root", "required", "ok"),
    [
        ({"pi", "video"}, False, True, True),
        ({"pi"}, False, True, False),
        ({"pi"}, False, False, None),
        (set(), True, True, None),
    ],
)
def test_group(groups, is_root, required, ok):
    assert check_group(frozenset(groups), is_root=is_root, required=required).ok is ok


@pytest.mark.parametrize(
    ("names", "ok", "word"),
    [
        (None, None, ""),
        ((), True, ""),
        (("under_voltage_has_occurred", "throttled"), False, "power supply"),
        (("soft_temperature_limit",), False, "cool"),
    ],
)
def test_throttling(names, ok, word):
    check = check_throttling(names)
    assert check.ok is ok
    assert word in check.remedy


def test_broker_that_listens_and_then_does_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check = check_broker(f"mqtt://127.0.0.1:{port}")
        assert (check.ok, check.detail) == (True, f"127.0.0.1:{port} answers")
    check = check_broker(f"mqtt://127.0.0.1:{port}")
    assert check.ok is False
    assert "Connection refused" in check.detail


def test_broker_that_never_answers():
    """A full backlog: the kernel accepts no further connection and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            check = check_broker(f"mqtt://127.0.0.1:{port}", timeout_s=0.2)
    assert check.ok is False
    assert "timed out" in check.detail


def test_broker_by_its_usual_port_and_none_at_all():
    assert "localhost:8883" in check_broker("mqtts://localhost").detail
    assert check_broker(None).ok is None


def test_configuration(tmp_path):
    good = tmp_path / "good.toml"
    good.write_text('[mqtt]\nurl = "mqtt://broker.lan"\n')
    config, check = check_config(good, {})
    assert (check.ok, config.mqtt.url) == (True, "mqtt://broker.lan")

    bad = tmp_path / "bad.toml"
    bad.write_text('[mqtt]\nurll = "mqtt://broker.lan"\n')
    config, check = check_config(bad, {})
    assert check.ok is False
    assert "urll" in check.detail
    assert config.mqtt.url is None

    assert check_config(tmp_path / "none.toml", {})[1].ok is False


def test_service_manager(tmp_path):
    assert check_service_manager(tmp_path).ok is None
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert check_service_manager(tmp_path).ok is True


def test_all_of_them_on_a_recorded_board(pi, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[source]\ntype = "demo"\n')
    found = {check.name: check for check in checks(config, root=pi, environ=os.environ)}
    assert list(found)[:2] == ["platform", "configuration"]
    assert found["throttling"].ok is False
    assert "under voltage" in found["throttling"].detail
    assert found["configuration"].detail == str(config)
    assert all(check.ok is not None or not check.remedy for check in found.values())


def webcam_at(pi, number):
    entry = pi / f"sys/class/video4linux/video{number}"
    entry.mkdir()
    (entry / "name").write_text("HD Pro Webcam C920\n")
    (pi / "dev").mkdir(exist_ok=True)
    (pi / f"dev/video{number}").touch()


def test_what_a_camera_offers_is_listed(pi, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[source]\ntype = "v4l2"\n')
    webcam_at(pi, 2)
    found = {
        check.name: check
        for check in checks(config, root=pi, environ=os.environ, open_ioctl=FakeVideoDevice().open)
    }
    offer = found["/dev/video2"]
    assert offer.ok is None
    lines = offer.detail.splitlines()
    assert lines[:2] == [
        "YUYV: 640x480 at 30, 15 frames/s; 1920x1080 at 5 frames/s",
        "MJPG: 1280x720 at 60, 30 frames/s; 1920x1080 at 30 frames/s",
    ]
    assert "gain: 0 to 255, default 0, now 0" in lines
    frequency = "power_line_frequency: 0 (Disabled), 1 (50 Hz), 2 (60 Hz), default 2, now 2"
    assert frequency in lines
    assert any(line.endswith("without effect while automatic") for line in lines)


def test_a_device_without_pictures_offers_nothing(pi):
    webcam_at(pi, 3)
    metadata = FakeVideoDevice(modes={})
    devices = video_devices(pi)
    assert offers(CsiCameras(), devices, pi, os.environ, metadata.open) == []
    assert offers(CsiCameras(), devices, pi, os.environ, open_ioctl) == [], "a plain file"


OFFERING = """
class Picamera2:
    def __init__(self, camera_num=0):
        if camera_num:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.camera_controls = {"AfMode": (0, 2, 0), "ScalerCrop": ((0, 0, 64, 64), (0, 0, 9, 9), None)}
        self.sensor_modes = [{"format": "SRGGB10", "size": (1536, 864), "fps": 120.13}]

    def close(self):
        pass
"""


def test_what_a_csi_camera_offers_and_one_that_is_busy(pi, tmp_path):
    environ = package(tmp_path, "picamera2", OFFERING)
    csi = CsiCameras(("picamera2:0 (imx708)", "picamera2:1 (imx219)"))
    first, busy = offers(csi, [], pi, environ, open_ioctl)
    assert first.camera == "picamera2:0"
    assert first.lines[0] == "SRGGB10: 1536x864 at up to 120.1 frames/s"
    assert first.lines[1] == "AfMode: 0 to 2, default 0"
    assert "did not complete" in busy.lines[0]
    assert "systemctl stop fer-edge" in busy.lines[0]


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        ([], 0),
        (["cameras"], 1),
        (["broker", "throttling"], 1),
        (["models"], 2),
        (["broker", "OpenCV"], 2),
    ],
)
def test_exit_code_tells_what_is_missing_from_what_does_not_start(failed, code):
    names = ("platform", "OpenCV", "models", "cameras", "broker", "throttling", "systemd")
    found = [Check(name, name not in failed, "") for name in names]
    assert exit_code([*found, Check("picamera2", None, "not needed")]) == code


def test_json_for_programs(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("[model]\nalpha = 0.3\n")
    command = [sys.executable, "-m", "fer_edge", "doctor", "--config", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    (models,) = [one for one in report["checks"] if one["name"] == "models"]
    assert done.returncode == report["exit_code"] == 2
    assert models["ok"] is False
    assert "no alpha 0.3 int8" in models["detail"]
    assert "model.alpha" in models["remedy"]
