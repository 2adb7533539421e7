import tomllib

import pytest

from fer_edge.config import load, render
from fer_edge.errors import ConfigError
from fer_edge.overlay.style import ENGLISH
from fer_edge.types import EMOTIONS


def loaded(**overlay):
    return load(environ={}, overrides={"overlay": overlay})


def test_nothing_is_shown_unless_asked_for():
    assert loaded().overlay.screen == "none"


def test_every_word_on_the_screen_can_be_translated():
    names = {word: word.upper() for word in ENGLISH}
    assert loaded(names=names).overlay.names.given() == names
    assert set(EMOTIONS) <= set(ENGLISH)


def test_words_that_are_not_given_stay():
    assert loaded(names={"happy": "fröhlich"}).overlay.names.given() == {"happy": "fröhlich"}


def test_a_misspelt_emotion_is_told():
    with pytest.raises(ConfigError, match=r"overlay\.names\.hapy: unknown key; did you mean happy"):
        loaded(names={"hapy": "froh"})


def test_drm_and_privacy_exclude_each_other():
    with pytest.raises(ConfigError, match="use framebuffer or window"):
        loaded(screen="drm", privacy="boxes")


def test_what_is_printed_can_be_read_again():
    config = loaded(screen="auto", names={"happy": "fröhlich"})
    text = render(config)
    assert 'happy = "fröhlich"' in text
    again = load(environ={}, overrides=tomllib.loads(text))
    assert again == config


def test_the_command_line_keeps_the_rest_of_the_section(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('[overlay]\nprivacy = "boxes"\n[overlay.names]\nhappy = "froh"\n')
    config = load(path, environ={}, overrides={"overlay": {"screen": "framebuffer"}})
    assert config.overlay.privacy == "boxes"
    assert config.overlay.names.happy == "froh"
