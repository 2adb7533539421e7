"""libcamera's controls, on a camera that has them and on one that does not."""

import sys

import pytest

from fer_edge.config import PiCamera2Source, load
from fer_edge.errors import ConfigError
from fer_edge.sources._pi_controls import Preparation, limit_exposure
from fer_edge.sources.fakes import AUTOFOCUS, FakePicamera2
from fer_edge.sources.picamera2 import PiCamera, open_camera


def opened(fake, **settings):
    """Open a camera with these settings, twice; what it was prepared for."""
    seen = []

    def open_fake(_, preparation):
        seen.append(preparation)
        return fake

    controls = PiCamera2Source(type="picamera2", **settings).controls()
    camera = PiCamera(size=(640, 360), controls=controls, open_camera=open_fake)
    for _ in range(2):
        with camera.open():
            pass
    return seen[0]


def warnings(caplog):
    return [record.message for record in caplog.records if record.levelname == "WARNING"]


def test_words_and_numbers_become_libcameras_controls(caplog):
    fake = FakePicamera2(controls=AUTOFOCUS)
    opened(
        fake,
        lens_position=2.0,
        exposure_time=8000,
        analogue_gain=4.0,
        ae_flicker_period=10_000,
        awb_mode="indoor",
        hdr_mode="night",
        ae_exposure_mode="short",
        exposure_value=0.5,
        af_range="full",
    )
    assert fake.set == {
        "AfMode": 0,
        "AfRange": 2,
        "LensPosition": 2.0,
        "ExposureTime": 8000,
        "AnalogueGain": 4.0,
        "AeExposureMode": 1,
        "ExposureValue": 0.5,
        "AeFlickerMode": 1,
        "AeFlickerPeriod": 10_000,
        "AwbMode": 4,
        "HdrMode": 4,
    }
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("mode", "made"), [("continuous", {"AfMode": 2}), ("auto", {"AfMode": 1, "AfTrigger": 0})]
)
def test_focus(mode, made):
    fake = FakePicamera2(controls=AUTOFOCUS)
    opened(fake, af_mode=mode)
    assert fake.set == made


def test_nothing_is_set_that_is_not_given():
    fake = FakePicamera2()
    assert opened(fake) == Preparation()
    assert fake.set == {}


def test_a_control_that_the_camera_does_not_have_is_one_line(caplog):
    fake = FakePicamera2()
    opened(fake, af_mode="continuous", exposure_time=8000, hdr_mode="night")
    assert fake.set == {"ExposureTime": 8000}
    focus, hdr = warnings(caplog)
    assert focus.startswith(
        "picamera2 camera 0: source.af_mode: the camera has no AfMode; it offers"
    )
    assert "AeExposureMode, AeFlickerMode" in focus
    assert "no HdrMode" in hdr


def test_a_value_out_of_range_is_one_line(caplog):
    fake = FakePicamera2()
    opened(fake, analogue_gain=20, exposure_value=-1)
    assert fake.set == {"ExposureValue": -1}
    (line,) = warnings(caplog)
    assert "source.analogue_gain = 20.0: the camera takes AnalogueGain from 1.0 to 10.66" in line


def test_hdr_that_is_off_is_no_complaint_where_there_is_none(caplog):
    assert opened(FakePicamera2(), hdr_mode="off").sensor_hdr is False
    assert warnings(caplog) == []


def test_what_is_done_before_the_camera_is_opened():
    made = opened(FakePicamera2(), hdr_mode="sensor", max_exposure_time=9000, max_analogue_gain=6)
    assert made == Preparation(9000, 6.0, sensor_hdr=True)


def test_a_fixed_focus_and_an_automatic_one_contradict_each_other():
    wrong = {"source": {"type": "picamera2", "lens_position": 1, "af_mode": "continuous"}}
    with pytest.raises(ConfigError, match='lens_position needs af_mode = "manual"'):
        load(None, environ={}, overrides=wrong)


@pytest.mark.parametrize("with_channels", [False, True])
def test_the_automatics_way_is_cut_off_at_the_limits(with_channels):
    modes = {"normal": {"shutter": [100, 10_000, 66_666], "gain": [1.0, 2.0, 8.0]}}
    agc = {"exposure_modes": modes}
    limits = Preparation(max_exposure_time=20_000, max_analogue_gain=4.0)
    assert limit_exposure({"channels": [agc]} if with_channels else agc, limits)
    assert modes["normal"] == {"shutter": [100, 10_000, 20_000], "gain": [1.0, 2.0, 4.0]}
    assert not limit_exposure({}, limits)


MODULE = """
opened = []

class Picamera2:
    def __init__(self, camera_num=0, tuning=None):
        opened.append(tuning)

    @staticmethod
    def global_camera_info():
        return [{"Model": "imx708_wide", "Id": "/base/imx708", "Num": 0},
                {"Model": "imx219", "Id": "/base/imx219", "Num": 1}]

    @staticmethod
    def load_tuning_file(tuning_file, dir=None):
        if tuning_file != "imx708_wide.json":
            raise RuntimeError("Tuning file not found")
        return {"rpi.agc": {"exposure_modes": {"normal": {"shutter": [100, 66666], "gain": [1, 8]}}}}

    @staticmethod
    def find_tuning_algo(tuning, name):
        return tuning[name]
"""

SENSOR = """
import picamera2

class IMX708:
    def __init__(self, camera_num=None):
        self.number = camera_num

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def set_sensor_hdr_mode(self, enable):
        picamera2.opened.append((self.number, enable))
"""


@pytest.fixture
def opened_by_picamera2(tmp_path, monkeypatch):
    """A picamera2 that notes what was done, in order."""
    sensors = tmp_path / "picamera2" / "devices"
    sensors.mkdir(parents=True)
    (tmp_path / "picamera2" / "__init__.py").write_text(MODULE)
    (sensors / "__init__.py").touch()
    (sensors / "imx708.py").write_text(SENSOR)
    for name in [name for name in sys.modules if name.split(".")[0] == "picamera2"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    import picamera2

    yield picamera2.opened
    for name in [name for name in sys.modules if name.split(".")[0] == "picamera2"]:
        del sys.modules[name]


def test_the_sensors_hdr_and_the_limits_come_before_the_opening(opened_by_picamera2, caplog):
    open_camera(0, Preparation(max_exposure_time=9000, sensor_hdr=True))
    assert opened_by_picamera2 == [
        (0, True),
        {"rpi.agc": {"exposure_modes": {"normal": {"shutter": [100, 9000], "gain": [1, 8]}}}},
    ]
    assert warnings(caplog) == []


def test_a_sensor_without_either_is_a_line_for_each(opened_by_picamera2, caplog):
    open_camera(1, Preparation(max_analogue_gain=2, sensor_hdr=True))
    assert opened_by_picamera2 == [None]
    hdr, limits = warnings(caplog)
    assert "source.hdr_mode = sensor: the sensor imx219 has no HDR" in hdr
    assert "no tuning file for the sensor imx219" in limits


def test_its_own_tuning_where_nothing_is_asked(opened_by_picamera2):
    open_camera(0, Preparation())
    assert opened_by_picamera2 == [None]
