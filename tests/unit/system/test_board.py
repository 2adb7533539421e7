"""The board from a recorded Raspberry Pi 4, from a PC, and from nothing."""

import json
import platform

import cv2
import numpy as np
import pytest

import fer_edge
from fer_edge.system.board import (
    THROTTLED_FILE,
    VCGENCMD,
    decode_throttled,
    library_versions,
    read_board,
    temperature_c,
    throttled,
)


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_raspberry_pi_4(pi):
    board = read_board(pi)
    assert board.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert board.processor is None
    assert board.cores == 4
    assert (board.clock_mhz, board.clock_max_mhz, board.governor) == (1500.0, 1800.0, "ondemand")
    assert board.temperature_c == 48.686
    assert board.throttled == (
        "under_voltage",
        "throttled",
        "under_voltage_has_occurred",
        "throttled_has_occurred",
    )
    assert board.memory_mb == 3790
    assert board.os == "Debian GNU/Linux 13 (trixie), Raspberry Pi OS"
    assert board.kernel == "6.12.47+rpt-rpi-v8"
    assert board.python == platform.python_version()


def test_a_pc_without_firmware_or_frequency_scaling(tmp_path):
    write(tmp_path, "sys/class/dmi/id/sys_vendor", "LENOVO\n")
    write(tmp_path, "sys/class/dmi/id/product_name", "20XW\n")
    write(tmp_path, "proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 7B13\ncpu MHz\t: 2\n")
    write(tmp_path, "sys/devices/system/cpu/online", "0,2-3,8-11\n")
    board = read_board(tmp_path)
    assert (board.model, board.processor, board.cores) == ("LENOVO 20XW", "AMD EPYC 7B13", 7)
    assert board.clock_mhz is board.governor is board.temperature_c is board.throttled is None


def test_nothing_readable_is_none_and_no_error(tmp_path):
    values = read_board(tmp_path / "nowhere").to_dict()
    known = {name for name, value in values.items() if value is not None}
    assert known == {"architecture", "python", "libraries"}


def test_this_machine_can_be_read_and_written_as_json():
    values = json.loads(json.dumps(read_board().to_dict()))
    assert values["architecture"] == platform.machine()
    assert values["kernel"] == platform.release()


@pytest.mark.parametrize(
    ("bits", "names"),
    [
        (0x0, ()),
        (0x2, ("frequency_capped",)),
        (0x8, ("soft_temperature_limit",)),
        (0x80000, ("soft_temperature_limit_has_occurred",)),
        (0xE0000000, ()),
    ],
)
def test_throttling_bits(bits, names):
    assert decode_throttled(bits) == names


def test_no_throttling_differs_from_not_readable(pi):
    write(pi, THROTTLED_FILE, "0\n")
    assert throttled(pi) == ()
    write(pi, THROTTLED_FILE, "what\n")
    assert throttled(pi) is None


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("echo throttled=0x20002", ("frequency_capped", "frequency_capped_has_occurred")),
        ("echo VCHI initialization failed", None),
        ("echo throttled=0x0; exit 255", None),
    ],
)
def test_vcgencmd_is_asked_where_the_kernel_has_no_file(pi, script, names):
    (pi / THROTTLED_FILE).unlink()
    write(pi, VCGENCMD, f"#!/bin/sh\n[ $1 = get_throttled ] && {script}\n").chmod(0o755)
    assert throttled(pi) == names


def test_the_processor_is_warmer_than_the_wifi(pi):
    zones = "sys/class/thermal/thermal_zone"
    write(pi, zones + "0/type", "iwlwifi_1\n")
    write(pi, zones + "0/temp", "31000\n")
    write(pi, zones + "10/type", "cpu-thermal\n")
    write(pi, zones + "10/temp", "62322\n")
    assert temperature_c(pi) == 62.322


def test_a_sensor_that_fails_is_passed_over(pi):
    (pi / "sys/class/thermal/thermal_zone0/temp").unlink()
    assert temperature_c(pi) is None
    write(pi, "sys/class/thermal/thermal_zone1/type", "acpitz\n")
    write(pi, "sys/class/thermal/thermal_zone1/temp", "27800\n")
    assert temperature_c(pi) == 27.8


def test_library_versions_are_those_that_would_be_imported():
    versions = library_versions()
    assert versions["fer-edge"] == fer_edge.__version__
    assert versions["numpy"] == f"numpy {np.__version__}"
    assert versions["opencv"].split()[1].startswith(cv2.__version__)
    assert versions["interpreter"].split()[0] in {"ai-edge-litert", "tflite-runtime"}
