"""Controls of USB cameras, by their names, on a device that answers ioctls as a driver does."""

import shutil
import struct
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge import video4linux
from fer_edge.config import V4l2Source, load
from fer_edge.errors import ConfigError
from fer_edge.sources._v4l2_controls import IDS
from fer_edge.sources.fakes import FakeCapture
from fer_edge.sources.fakes_v4l2 import WEBCAM, FakeControl, FakeVideoDevice
from fer_edge.sources.v4l2 import V4l2Camera
from fer_edge.video4linux import Kind, Mode, list_controls, list_modes, open_ioctl

MJPG = cv2.VideoWriter.fourcc(*"MJPG")


@pytest.fixture
def device():
    return FakeVideoDevice()


def opened(device, jpeg, **settings):
    """Open a camera with these settings, twice; what was set at the first time, by name."""
    frames = [np.frombuffer(jpeg, np.uint8).reshape(1, -1)]
    camera = V4l2Camera(
        "/dev/video0",
        controls=V4l2Source(type="v4l2", **settings).controls(),
        open_capture=lambda _: FakeCapture(frames, granted={cv2.CAP_PROP_FOURCC: MJPG}),
        open_ioctl=device.open,
    )
    with camera.open() as stream:
        stream.read()
    names = {number: name for name, number in IDS.items()}
    made = [(names[number], value) for number, value in device.set]
    with camera.open():
        return made


def test_what_is_given_is_set_and_the_automatics_before_it(device, jpeg, caplog):
    made = opened(
        device,
        jpeg,
        exposure_time_absolute=100,
        gain=40,
        focus_absolute=30,
        power_line_frequency="50hz",
        white_balance_temperature=3000,
    )
    assert made == [
        ("auto_exposure", 1),
        ("exposure_time_absolute", 100),
        ("gain", 40),
        ("focus_automatic_continuous", 0),
        ("focus_absolute", 30),
        ("power_line_frequency", 1),
        ("white_balance_automatic", 0),
        ("white_balance_temperature", 3000),
    ]
    assert len(device.set) == 2 * len(made), "and again when the camera is opened again"
    assert "source" not in caplog.text


def test_nothing_is_set_that_is_not_given(device, jpeg):
    assert opened(device, jpeg) == []
    assert opened(device, jpeg, auto_exposure="auto") == [("auto_exposure", 3)]


def test_a_control_that_the_camera_does_not_have_is_one_line(jpeg, caplog):
    device = FakeVideoDevice([one for one in WEBCAM if "Focus" not in one.name])
    assert opened(device, jpeg, focus_absolute=0, gain=3) == [("gain", 3)]
    lines = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(lines) == 2, "once, however often the camera is opened"
    assert lines[1].startswith("/dev/video0: source.focus_absolute: the camera has no such control")
    assert "it offers brightness, white_balance_automatic, gain, power_line_frequency" in lines[1]
    assert "user_controls" not in lines[1]


def test_a_value_out_of_range_is_one_line(device, jpeg, caplog):
    made = opened(device, jpeg, gain=256, power_line_frequency="auto", exposure_time_absolute=9999)
    assert made == [("auto_exposure", 1)]
    assert "source.gain = 256: the camera takes 0 to 255" in caplog.text
    assert "source.exposure_time_absolute = 9999: the camera takes 3 to 2047" in caplog.text
    wrong = (
        "source.power_line_frequency = auto: the camera takes 0 (Disabled), 1 (50 Hz), 2 (60 Hz)"
    )
    assert wrong in caplog.text


def test_a_camera_that_refuses_is_one_line(jpeg, caplog):
    device = FakeVideoDevice(refuses=[IDS["gain"]])
    assert opened(device, jpeg, gain=4) == []
    assert "source.gain = 4: the camera refuses: Device or resource busy" in caplog.text


def test_a_device_that_cannot_be_asked_is_one_line(device, jpeg, caplog, tmp_path):
    device.open = lambda _: open_ioctl(tmp_path / "none")
    assert opened(device, jpeg, gain=4) == []
    assert "controls cannot be set: No such file" in caplog.text
    (tmp_path / "none").touch()
    opened(device, jpeg, gain=5)
    assert (
        "source.gain: the camera has no such control; it offers no controls at all" in caplog.text
    )


def test_a_menu_without_aperture_priority(jpeg):
    menu = {0: "Auto Mode", 2: "Shutter Priority Mode"}
    device = FakeVideoDevice([FakeControl(0x009A0901, "Auto Exposure", 3, 0, 3, 1, 0, menu=menu)])
    assert opened(device, jpeg, auto_exposure="manual") == [("auto_exposure", 2)]
    assert opened(device, jpeg, auto_exposure="auto")[-1] == ("auto_exposure", 0)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"exposure_time_absolute": 1, "auto_exposure": "auto"}, 'auto_exposure = "manual"'),
        (
            {"focus_absolute": 1, "focus_automatic_continuous": True},
            "focus_automatic_continuous = false",
        ),
        (
            {"white_balance_temperature": 4000, "white_balance_automatic": True},
            "white_balance_automatic = false",
        ),
        ({"gian": 3}, "did you mean gain?"),
        ({"power_line_frequency": "40hz"}, "50hz"),
    ],
)
def test_settings_that_contradict_each_other_are_one_line(settings, word):
    with pytest.raises(ConfigError) as raised:
        load(None, environ={}, overrides={"source": {"type": "v4l2", **settings}})
    assert word in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_a_camera_offers(device):
    found = {control.name: control for control in list_controls(device)}
    assert list(found)[:3] == ["brightness", "white_balance_automatic", "gain"]
    exposure = found["auto_exposure"]
    assert exposure.range == "1 (Manual Mode), 3 (Aperture Priority Mode)"
    assert (exposure.kind, exposure.default, exposure.value) == (Kind.MENU, 3, 3)
    assert not exposure.takes(2)
    assert found["focus_absolute"].range == "0 to 250 in steps of 5"
    assert found["focus_absolute"].inactive
    assert found["white_balance_automatic"].range == "0, 1"


def test_controls_that_are_no_numbers_or_cannot_be_used_are_passed_over():
    link = FakeControl(0x009F0901, "Link Frequency", Kind.INTEGER_MENU, 0, 1, 1, 0, 0x0004)
    disabled = FakeControl(0x00980920, "Old", Kind.INTEGER, 0, 1, 1, 0, 0x0001)
    button = FakeControl(0x009A0920, "Do It", 4, 0, 0, 0, 0)
    assert list_controls(FakeVideoDevice([link, disabled, button])) == []


def test_formats_and_rates(device):
    assert list_modes(device) == [
        Mode("YUYV", "640x480", (30, 15)),
        Mode("YUYV", "1920x1080", (5,)),
        Mode("MJPG", "1280x720", (60, 30)),
        Mode("MJPG", "1920x1080", (30,)),
    ]


def test_a_device_with_any_size():
    def stepwise(request, data):
        if request == video4linux.VIDIOC_ENUM_FMT and not data[0]:
            return data[:44] + b"RGB3" + data[48:]
        if request == video4linux.VIDIOC_ENUM_FRAMESIZES:
            return data[:8] + struct.pack("=7I", 3, 16, 4096, 2, 32, 2160, 2) + data[36:]
        raise OSError

    assert list_modes(stepwise) == [Mode("RGB3", "16x32 to 4096x2160")]


HEADER = Path("/usr/include/linux/videodev2.h")
IOCTLS = [name for name in dir(video4linux) if name.startswith("VIDIOC_")]
SYMBOLS = {
    "auto_exposure": "V4L2_CID_EXPOSURE_AUTO",
    "exposure_time_absolute": "V4L2_CID_EXPOSURE_ABSOLUTE",
    "exposure_dynamic_framerate": "V4L2_CID_EXPOSURE_AUTO_PRIORITY",
    "gain": "V4L2_CID_GAIN",
    "backlight_compensation": "V4L2_CID_BACKLIGHT_COMPENSATION",
    "focus_automatic_continuous": "V4L2_CID_FOCUS_AUTO",
    "focus_absolute": "V4L2_CID_FOCUS_ABSOLUTE",
    "power_line_frequency": "V4L2_CID_POWER_LINE_FREQUENCY",
    "white_balance_automatic": "V4L2_CID_AUTO_WHITE_BALANCE",
    "white_balance_temperature": "V4L2_CID_WHITE_BALANCE_TEMPERATURE",
}


@pytest.mark.skipif(not (HEADER.exists() and shutil.which("cc")), reason="no C compiler or header")
def test_the_numbers_are_the_kernels(tmp_path):
    wanted = {name: getattr(video4linux, name) for name in IOCTLS}
    wanted |= {SYMBOLS[name]: number for name, number in IDS.items()}
    lines = "\n".join(f'printf("{name} %u\\n", (unsigned){name});' for name in wanted)
    code = f"#include <linux/videodev2.h>\n#include <stdio.h>\nint main(void) {{ {lines} }}\n"
    (tmp_path / "numbers.c").write_text(code)
    program = tmp_path / "numbers"
    subprocess.run(["cc", "-o", program, tmp_path / "numbers.c"], check=True)
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    assert dict(line.split() for line in said.splitlines()) == {
        name: str(number) for name, number in wanted.items()
    }
