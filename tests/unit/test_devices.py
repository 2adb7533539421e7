"""Devices of a Raspberry Pi that are no cameras, as `v4l2-ctl --all` and sysfs name them."""

import pytest

from fer_edge.devices import is_board_device, is_board_driver


@pytest.mark.parametrize(
    "driver",
    ["bcm2835-codec", "bcm2835-isp", "unicam", "rpivid", "rpi-hevc-dec", "rp1-cfe", "pispbe"],
)
def test_drivers_of_the_board(driver):
    assert is_board_driver(driver)
    assert is_board_device(driver)


@pytest.mark.parametrize(
    "name",
    [
        "bcm2835-codec-encode_image",
        "bcm2835-isp-capture0",
        "unicam-image",
        "rpivid-source",
        "rp1-cfe-csi2_ch0",
        "pispbe-output0",
    ],
)
def test_devices_of_the_board(name):
    assert is_board_device(name)


@pytest.mark.parametrize(
    "driver", ["uvcvideo", "bm2835 mmal", "v4l2 loopback", "unicam2", "vc4cam"]
)
def test_drivers_of_cameras(driver):
    assert not is_board_driver(driver)


@pytest.mark.parametrize(
    "name", ["HD Pro Webcam C920", "Unicam HD: Unicam HD", "USB PISPBE", "vc40"]
)
def test_a_camera_whose_name_contains_a_driver_is_a_camera(name):
    assert not is_board_device(name)
