import pytest

from fer_edge.errors import ConfigError
from fer_edge.training.options import Config, arguments, input_spec, load_config


def test_every_field_is_an_option_and_only_data_and_folder_are_needed() -> None:
    (config,) = arguments(["--dataset", "ferplus:x.npz", "--out", "runs/a", "--va-weight", "2"])
    assert config == Config(dataset="ferplus:x.npz", out="runs/a", va_weight=2.0)
    with pytest.raises(SystemExit):
        arguments(["--out", "runs/a"])


def test_the_input_is_luma_from_minus_one_to_one() -> None:
    spec = input_spec(112)
    assert (spec.height, spec.width, spec.channels) == (112, 112, 1)
    assert spec.offset == -1
    assert 255 * spec.scale + spec.offset == pytest.approx(1)
    assert spec.mean is spec.deviation is None
    even = input_spec(112, even=True)
    assert (even.mean, even.deviation) == (128, 58)


def test_choices_and_switches_are_options_too() -> None:
    words = "--dataset x --out y --optimizer rmsprop --channels 3 --no-even-light --sampling 0.5"
    (config,) = arguments(words.split())
    assert (config.optimizer, config.channels, config.even_light) == ("rmsprop", 3, False)
    assert config.sampling == 0.5
    with pytest.raises(SystemExit):
        arguments([*words.split(), "--va-loss", "huber"])


def test_the_configuration_of_an_older_run_is_still_read(tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"dataset": "ferplus:x", "out": "y", "alpha": 0.5}')
    assert load_config(tmp_path) == Config(dataset="ferplus:x", out="y", alpha=0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "name the folder that"), ('{"colour": 1}', "colour"), ("{", "train anew")],
)
def test_a_run_that_is_none_is_named(tmp_path, content, message) -> None:
    if content:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=rf"config\.json: .*{message}"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--small 64", "give both, or neither"),
        ("--small 16 --small-epochs 2", "--small 16: the network needs at least 32"),
        ("--size 24", "--size 24: the network needs at least 32"),
    ],
)
def test_what_would_fail_later_is_refused(words, message) -> None:
    with pytest.raises(ConfigError, match=message):
        arguments(["--dataset", "x", "--out", "y", *words.split()])
