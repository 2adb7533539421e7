import pytest

from fer_edge.config import OverlayConfig
from fer_edge.overlay import CameraSlot, ScreenError, screen_opener
from fer_edge.overlay._open import choose, has_desktop

NO_PANEL = {"desktop": False, "camera": False, "connected": False, "device": False}


@pytest.mark.parametrize(
    ("there", "picked"),
    [
        ({"desktop": True, "camera": True, "connected": True, "device": True}, "window"),
        ({"camera": True, "connected": True, "device": True}, "drm"),
        ({"camera": True, "device": True}, "framebuffer"),
        ({"connected": True, "device": True}, "framebuffer"),
        ({"device": True}, "framebuffer"),
    ],
)
def test_auto_picks_the_best_there_is(there, picked):
    assert choose(**(NO_PANEL | there)) == picked


def test_auto_without_any_screen_says_what_there_could_be():
    with pytest.raises(ScreenError, match="no desktop with pygame"):
        choose(**NO_PANEL)


def test_a_desktop_is_named_by_the_environment():
    assert has_desktop({"DISPLAY": ":0"})
    assert has_desktop({"WAYLAND_DISPLAY": "wayland-0"})
    assert not has_desktop({})


def test_auto_opens_the_frame_buffer_where_there_is_nothing_else(tmp_path):
    (tmp_path / "fb0").write_bytes(bytes(32))
    folder = tmp_path / "fb0.sysfs"
    folder.mkdir()
    for name, value in (("virtual_size", "4,2"), ("stride", "16"), ("bits_per_pixel", "32")):
        (folder / name).write_text(value)
    config = OverlayConfig(screen="auto", device=str(tmp_path / "fb0"))
    screen = screen_opener(config, CameraSlot(), environ={})()
    assert screen.name == f"framebuffer {tmp_path / 'fb0'}, 4x2, 32 bits"
    screen.close()
