import numpy as np
import pytest

from fer_edge.affect import open_classifier
from fer_edge.affect.smoother import Smoother
from fer_edge.affect.stage import AffectStage
from fer_edge.affect.turns import Turns
from fer_edge.camera import CameraState
from fer_edge.config import Config
from fer_edge.controls import Controls
from fer_edge.statefile import StateFile
from fer_edge.types import Box, FaceBatch, Track


class Run:
    """The parts that are changed, as an assembly makes them."""

    def __init__(self, folder, **sections):
        config = Config(device="kitchen", **sections)
        classifier = open_classifier(config.model)
        self.camera = CameraState()
        smoother = Smoother(config.tracking)
        self.affect = AffectStage(classifier, Turns(max_faces=4, min_interval_s=0.0), smoother)
        self.controls = Controls(
            config,
            camera=self.camera,
            affect=self.affect,
            smoother=smoother,
            classifier=classifier,
            state=StateFile(folder / "state.json"),
        )
        self.controls.restore()

    def read(self, stamp):
        crop = np.random.default_rng(1).integers(0, 255, (112, 112), np.uint8)
        track = Track(1, Box(0, 0, 112, 112), stamp.captured_at)
        (face,) = self.affect(FaceBatch(stamp, (track,), (crop,))).faces
        return face


def test_recognition_off_survives_a_restart(tmp_path):
    run = Run(tmp_path)
    assert run.controls.adjust("recognition", "OFF") is None
    assert not run.camera.wanted
    again = Run(tmp_path)
    assert not again.controls.settings.recognition
    assert not again.camera.wanted
    again.controls.adjust("recognition", "ON")
    assert again.camera.wanted
    assert Run(tmp_path).camera.wanted


def test_another_model_reads_from_the_next_frame_on(tmp_path, stamp_at):
    run = Run(tmp_path)
    narrow = run.read(stamp_at(0)).affect.valence
    assert run.controls.adjust("model_width", "0.5") is None
    assert run.controls.model_name == "mobilenet_v1_0.5_112_int8"
    assert run.controls.adjust("smoothing", "0") is None
    assert run.read(stamp_at(10)).affect.valence != narrow
    assert Run(tmp_path).controls.settings.model_width == 0.5


def test_the_threshold_decides_what_is_uncertain(tmp_path, stamp_at):
    run = Run(tmp_path)
    assert run.controls.adjust("min_confidence", "0") is None
    assert run.read(stamp_at(0)).emotion is not None
    assert run.controls.adjust("min_confidence", "1") is None
    assert run.read(stamp_at(1)).emotion is None


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("recognition", "maybe", "write ON or OFF"),
        ("recognition", "on", "write ON or OFF"),
        ("model_width", "0.6", "choose 0.25, 0.35"),
        ("model_width", "wide", "valid number"),
        ("min_confidence", "1.1", "less than or equal to 1"),
        ("min_confidence", "nan", "less than or equal to 1"),
        ("smoothing", "-1", "greater than or equal to 0"),
        ("smoothing", "", "valid number"),
        ("colour", "red", "no such setting"),
    ],
)
def test_what_is_refused_changes_nothing(tmp_path, name, value, reason):
    run = Run(tmp_path)
    before = run.controls.settings
    assert reason in run.controls.adjust(name, value)
    assert run.controls.settings == before
    assert not (tmp_path / "state.json").exists()


def test_a_model_that_cannot_be_loaded_leaves_the_old_one(tmp_path):
    from fer_edge.modelcard import find_card, models_dir

    folder = tmp_path / "models"
    folder.mkdir()
    for alpha in (0.25, 0.5):
        card = find_card(models_dir(), alpha, "int8")
        for file in (card.file, f"{card.name}.json"):
            (folder / file).write_bytes((models_dir() / file).read_bytes())
    run = Run(tmp_path, model={"directory": folder})
    (folder / card.file).write_bytes(b"damaged")
    assert "its card says" in run.controls.adjust("model_width", "0.5")
    assert run.controls.settings.model_width == 0.25
    assert run.controls.model_name == "mobilenet_v1_0.25_112_int8"


def test_a_changed_configuration_counts_more_than_an_old_command(tmp_path):
    Run(tmp_path).controls.adjust("smoothing", "2")
    assert Run(tmp_path).controls.settings.smoothing == 2
    assert Run(tmp_path, tracking={"smoothing_s": 1.0}).controls.settings.smoothing == 1


def test_a_kept_value_of_no_use_is_passed_over(tmp_path, caplog):
    (tmp_path / "state.json").write_text(
        '{"settings": {"smoothing": {"value": "x", "configured": 0.4}, "recognition": 3}}'
    )
    run = Run(tmp_path)
    assert run.controls.settings.smoothing == 0.4
    assert "the kept value is of no use" in caplog.text
