import fcntl
import os
import struct

import numpy as np
import pytest

from fer_edge.overlay.framebuffer import FrameBuffer, Geometry, pack
from fer_edge.overlay.screen import ScreenError


@pytest.fixture
def device(tmp_path):
    """A file that stands in for the device."""

    def make(width, height, bits, *, stride=None):
        stride = stride or width * bits // 8
        path = tmp_path / "fb0"
        path.write_bytes(bytes(stride * height))
        describe(path, width, height, bits, stride)
        return path

    return make


def describe(path, width, height, bits, stride):
    folder = path.with_name("fb0.sysfs")
    folder.mkdir(exist_ok=True)
    (folder / "virtual_size").write_text(f"{width},{height}\n")
    (folder / "stride").write_text(f"{stride}\n")
    (folder / "bits_per_pixel").write_text(f"{bits}\n")


@pytest.fixture
def image():
    """Red, green, blue, white, and a grey that 5 and 6 bits round."""
    row = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255), (100, 101, 102), (0, 0, 0)]
    return np.array([row, row[::-1]], np.uint8)


def shown(path, image):
    screen = FrameBuffer(path)
    try:
        screen.show(image)
    finally:
        screen.close()
    return path.read_bytes()


def test_32_bits_are_blue_green_red_and_opaque(device, image):
    data = np.frombuffer(shown(device(6, 2, 32), image), np.uint8).reshape(2, 6, 4)
    assert np.array_equal(data[:, :, :3], image)
    assert (data[:, :, 3] == 255).all()


def test_16_bits_are_565_with_red_on_top(device, image):
    data = np.frombuffer(shown(device(6, 2, 16), image), "<u2").reshape(2, 6)
    blue, green, red = (image[:, :, channel].astype(int) for channel in range(3))
    assert np.array_equal(data, (red >> 3 << 11) | (green >> 2 << 5) | (blue >> 3))


@pytest.mark.parametrize("bits", [16, 32])
def test_rows_padded_to_the_stride(device, image, bits):
    path = device(6, 2, bits, stride=64)
    rows = np.frombuffer(shown(path, image), np.uint8).reshape(2, 64)
    used = 6 * bits // 8
    assert rows[0, :used].any()
    assert not rows[:, used:].any()
    assert path.stat().st_size == 128


def test_red_first_where_the_kernel_says_so(image):
    rows = np.zeros((2, 24), np.uint8)
    pack(image, Geometry(6, 2, 24, 32, red_first=True), rows)
    assert tuple(rows[0, :4]) == (255, 0, 0, 255)
    rows = np.zeros((2, 12), np.uint8)
    pack(image, Geometry(6, 2, 12, 16, red_first=True), rows)
    assert rows[0, :2].tobytes() == struct.pack("<H", 0b11111)


def test_the_kernels_structures_are_read_right(monkeypatch):
    """As `struct fb_var_screeninfo` and `fb_fix_screeninfo` lie in memory on 64-bit Linux."""
    variable = struct.pack("=8I", 1920, 1080, 1920, 2160, 0, 1080, 32, 0)
    variable += struct.pack("=12I", 16, 8, 0, 8, 8, 0, 0, 8, 0, 24, 8, 0) + bytes(80)
    fixed = b"BCM2708 FB".ljust(16, b"\0") + struct.pack("=QIIII", 0x3E000000, 1 << 24, 0, 0, 2)
    fixed += struct.pack("=HHHxxIxxxxQIIHHHxx", 1, 1, 0, 7680, 0, 0, 0, 0, 0, 0)
    assert (len(variable), len(fixed)) == (160, 80)
    answers = {0x4600: variable, 0x4602: fixed}

    def ioctl(_fd, request, buffer):
        assert len(buffer) == len(answers[request])
        buffer[:] = answers[request]

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    found = Geometry.of_device(0)
    assert found == Geometry(1920, 1080, 7680, 32, red_first=False, offset=1080 * 7680)


def test_a_screen_that_changes_its_resolution_is_opened_anew(device, image):
    path = device(6, 2, 32)
    screen = FrameBuffer(path)
    describe(path, 8, 2, 32, 32)
    with pytest.raises(ScreenError, match="resolution has changed"):
        screen.show(image)
    screen.close()
    assert FrameBuffer(path).size == (8, 2)


def test_no_screen_is_one_line(tmp_path, device):
    with pytest.raises(ScreenError, match="No such file"):
        FrameBuffer(tmp_path / "fb7")
    with pytest.raises(ScreenError, match="24 bits a pixel; set it to 16 or 32"):
        FrameBuffer(device(6, 2, 24))
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    with pytest.raises(ScreenError, match="not a frame buffer"):
        FrameBuffer(plain)
    with pytest.raises(ScreenError, match="/dev/null: not a frame buffer"):
        FrameBuffer(os.devnull)


def test_a_full_device_is_an_error_not_a_signal(tmp_path, image):
    (tmp_path / "fb0").symlink_to("/dev/full")
    describe(tmp_path / "fb0", 6, 2, 32, 24)
    with pytest.raises(ScreenError):
        FrameBuffer(tmp_path / "fb0").show(image)
