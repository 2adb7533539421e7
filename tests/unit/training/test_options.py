import pytest

from fer_edge.training.options import Config, arguments, input_spec


def test_every_field_is_an_option_and_only_data_and_folder_are_needed() -> None:
    config = arguments(["--dataset", "ferplus:x.npz", "--out", "runs/a", "--va-weight", "2"])
    assert config == Config(dataset="ferplus:x.npz", out="runs/a", va_weight=2.0)
    with pytest.raises(SystemExit):
        arguments(["--out", "runs/a"])


def test_the_input_is_luma_from_minus_one_to_one() -> None:
    spec = input_spec(112)
    assert (spec.height, spec.width, spec.channels) == (112, 112, 1)
    assert spec.offset == -1
    assert 255 * spec.scale + spec.offset == pytest.approx(1)
