import pytest

from fer_edge.config import load, render
from fer_edge.errors import ConfigError

SOFA = '[[zones]]\nname = "sofa"\npoints = [[0, 0.2], [0.5, 0.2], [0.5, 1.0]]\n'
TELEVISION = '[[zones]]\nname = "tv"\npoints = [[1, 0], [0.8, 0], [1, 1.0]]\nuse = "ignore"\n'


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config.toml"


def complaint(path, text):
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path, environ={})
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


def test_there_are_none_unless_given():
    assert load(environ={}).zones == ()


def test_zones_come_in_the_order_of_the_file_and_are_shown_as_they_count(path):
    path.write_text(SOFA + TELEVISION)
    config = load(path, environ={})
    assert [zone.name for zone in config.zones] == ["sofa", "tv"]
    assert config.counting_zones == ("sofa",)
    path.write_text(render(config))
    assert load(path, environ={}).zones == config.zones


def test_the_environment_gives_them_as_json():
    zones = '[{"name": "door", "points": [[0, 0], [1, 0], [0, 1]]}]'
    assert load(environ={"FER_EDGE__ZONES": zones}).counting_zones == ("door",)


@pytest.mark.parametrize("points", ["[[0, 0], [1, 0]]", "[[0, 0], [1, 0], [0, 1.1]]", "[1, 2, 3]"])
def test_points_that_make_no_polygon(path, points):
    text = f'{SOFA}[[zones]]\nname = "door"\npoints = {points}\n'
    assert complaint(path, text) == (
        "[[zones]] number 2: points: give 3 to 64 corners, each [across, down], both from 0 to 1"
    )


def test_zones_that_cannot_be_told_apart_or_hold_nothing(path):
    assert complaint(path, SOFA + SOFA) == (
        "zones: two zones have the name 'sofa'; give each one of its own"
    )
    line = SOFA.replace("[0.5, 1.0]", "[1.0, 0.2]")
    assert complaint(path, line) == "zones: zone 'sofa' holds nothing; its points lie on one line"


def test_a_name_must_be_readable(path):
    assert "number 1: name = ''" in complaint(path, SOFA.replace("sofa", ""))
    assert "number 1: name" in complaint(path, SOFA.replace("sofa", "s" * 41))
    assert "printable" in complaint(path, SOFA.replace("sofa", "so\\nfa"))


def test_a_misspelt_key_and_a_single_table(path):
    assert complaint(path, SOFA + 'usee = "count"\n') == (
        "[[zones]] number 1: usee: unknown key; did you mean use?"
    )
    assert complaint(path, SOFA.replace("[[zones]]", "[zones]")) == (
        "zones: write each zone as a section [[zones]] of the file"
    )
