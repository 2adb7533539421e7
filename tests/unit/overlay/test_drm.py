import inspect

import numpy as np
import pytest
from picamera2_source import HAS_PICAMERA2, real_parameters

from fer_edge.overlay.drm import CameraSlot, DrmScreen, connected_resolution, straight_rgba
from fer_edge.overlay.fakes import PREVIEW_SIGNATURES, FakeDrmPreview, FakePreviewCamera
from fer_edge.overlay.screen import ScreenError
from fer_edge.sources.fakes import FakePicamera2
from fer_edge.sources.picamera2 import PiCamera


@pytest.fixture
def sysfs(tmp_path):
    """A Raspberry Pi with a television on its first HDMI socket."""
    for name, status, modes in (
        ("card0-HDMI-A-1", "connected", "1920x1080\n1280x720\n"),
        ("card0-HDMI-A-2", "disconnected", ""),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "status").write_text(status + "\n")
        (tmp_path / name / "modes").write_text(modes)
    return tmp_path


class Screens:
    """Opens screens on one camera, and knows the previews that were made."""

    def __init__(self, camera, sysfs):
        self.slot, self.camera, self.sysfs = CameraSlot(), camera, sysfs
        self.previews = []
        self.now = 0.0

    def make(self, size):
        self.previews.append(FakeDrmPreview(width=size[0], height=size[1]))
        return self.previews[-1]

    def open(self):
        return DrmScreen(
            self.slot, sysfs=self.sysfs, make_preview=self.make, clock=lambda: self.now
        )


@pytest.fixture
def screens(sysfs):
    return Screens(FakePreviewCamera(), sysfs)


def layer(screen, value=255):
    width, height = screen.size
    return np.full((height, width, 4), value, np.uint8)


def test_the_camera_is_shown_and_a_layer_over_it(screens):
    with screens.slot.lend(screens.camera):
        screen = screens.open()
        (preview,) = screens.previews
        assert screens.camera.preview is preview
        assert preview.window == (0, 0, 1920, 1080)
        assert screen.transparent
        screens.camera.deliver()
        screen.show(layer(screen))
        assert preview.layers[-1].shape == (1080, 1920, 4)
        screen.close()
        assert screens.camera.preview == "null", "the camera is read on"


def test_the_layer_has_the_pictures_proportions(sysfs):
    screens = Screens(FakePreviewCamera((1640, 1232)), sysfs)
    with screens.slot.lend(screens.camera):
        assert screens.open().size == (1438, 1080)


def test_colours_beside_opacity_red_first():
    premultiplied = np.array([[[0, 0, 128, 128], [10, 20, 30, 255], [0, 0, 0, 0]]], np.uint8)
    expected = [[[255, 0, 0, 128], [30, 20, 10, 255], [0, 0, 0, 0]]]
    assert straight_rgba(premultiplied).tolist() == expected


def test_layers_before_the_first_frame_are_let_go(screens):
    with screens.slot.lend(screens.camera):
        screen = screens.open()
        screen.show(layer(screen))
        screens.camera.deliver()
        screen.show(layer(screen))
        assert len(screens.previews[0].layers) == 1


def test_a_device_that_takes_no_layer_is_no_screen(screens):
    with screens.slot.lend(screens.camera):
        screen = screens.open()
        screens.now = 10.0
        with pytest.raises(ScreenError, match="Overlays not supported"):
            screen.show(layer(screen))


def test_no_camera_no_screen(screens):
    with pytest.raises(ScreenError, match="no CSI camera is open"):
        screens.open()


def test_a_screen_that_refuses_leaves_the_camera_running(sysfs):
    screens = Screens(FakePreviewCamera(refuses="not DRM master"), sysfs)
    with screens.slot.lend(screens.camera):
        with pytest.raises(ScreenError, match="drm: not DRM master"):
            screens.open()
        assert screens.camera.preview == "null"


def test_a_picture_that_cannot_be_shown_ends_the_screen_not_the_camera(screens):
    with screens.slot.lend(screens.camera):
        screen = screens.open()
        screens.previews[0].error = RuntimeError("atomic commit failed: Permission denied")
        with pytest.raises(ScreenError, match="Permission denied"):
            screen.show(layer(screen))
        screen.close()
        assert screens.camera.preview == "null"
        screens.open()
        assert screens.camera.preview is screens.previews[1], "it comes back"


def test_a_camera_that_was_reopened_is_shown_anew(screens, sysfs):
    with screens.slot.lend(screens.camera):
        screen = screens.open()
    with pytest.raises(ScreenError, match="the camera was closed"):
        screen.show(layer(screen))
    screen.close()
    assert screens.camera.preview is screens.previews[0], "a closed camera is left alone"
    screens.camera = FakePreviewCamera()
    with screens.slot.lend(screens.camera):
        screens.open()
        assert screens.camera.preview is screens.previews[1]


def test_no_television_no_screen(screens, tmp_path):
    screens.sysfs = tmp_path / "none"
    with screens.slot.lend(screens.camera), pytest.raises(ScreenError, match="plug one in"):
        screens.open()


def test_the_connected_screens_resolution(sysfs):
    assert connected_resolution(sysfs) == (1920, 1080)
    (sysfs / "card0-HDMI-A-1" / "modes").write_text("720x576i\n")
    assert connected_resolution(sysfs) == (720, 576)
    (sysfs / "card0-HDMI-A-1" / "status").write_text("disconnected\n")
    assert connected_resolution(sysfs) is None


def test_the_fakes_have_the_real_signatures():
    for name, parameters in PREVIEW_SIGNATURES.items():
        kind, method = name.partition(":")[2].split(".")
        fake = FakeDrmPreview if kind == "DrmPreview" else FakePreviewCamera
        own = tuple(inspect.signature(getattr(fake, method)).parameters)
        assert own == parameters, name


@pytest.mark.skipif(not HAS_PICAMERA2, reason="picamera2's source is not installed")
@pytest.mark.parametrize("name", PREVIEW_SIGNATURES)
def test_the_signatures_are_those_of_the_package(name):
    assert real_parameters(name) == PREVIEW_SIGNATURES[name]


def test_the_source_lends_its_camera_while_it_runs():
    slot = CameraSlot()
    fake = FakePicamera2([np.zeros((360, 640, 3), np.uint8)])
    source = PiCamera(size=(640, 360), open_camera=lambda *_: fake, lend=slot.lend)
    with source.open() as stream:
        assert slot.camera is fake
        assert fake.started
        assert fake.config["display"] == "main", "DrmPreview shows the stream that is named so"
        stream.read()
    assert slot.camera is None
    assert fake.closed


def test_nobody_asks_for_a_display_without_a_screen():
    fake = FakePicamera2()
    with PiCamera(size=(640, 360), open_camera=lambda *_: fake).open():
        assert fake.config["display"] is None
