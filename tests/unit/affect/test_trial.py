"""Models that are tried in a process of their own."""

import hashlib
import os
import signal

import numpy as np
import pytest

from fer_edge.affect import open_classifier, trial
from fer_edge.affect.trial import check_readings, try_model
from fer_edge.config import ModelConfig
from fer_edge.errors import ModelError
from fer_edge.modelcard import find_card, models_dir, read_model
from fer_edge.types import Affect

CARD = find_card(models_dir(), 0.25, "int8")
CONTENT = read_model(CARD, models_dir())


def folder_with(path, content):
    """A folder whose card fits `content`."""
    digest = hashlib.sha256(content).hexdigest()
    card = CARD.model_copy(update={"sha256": digest, "size_bytes": len(content)})
    (path / f"{card.name}.json").write_text(card.model_dump_json())
    (path / card.file).write_bytes(content)
    return ModelConfig(directory=path)


def test_a_whole_model_in_another_folder_is_taken(tmp_path):
    assert open_classifier(folder_with(tmp_path, CONTENT)).card.name == CARD.name


def test_a_file_whose_hash_fits_but_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="the interpreter refuses it") as caught:
        open_classifier(folder_with(tmp_path, CONTENT[:4000] + bytes(len(CONTENT) - 4000)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_is_one_line_and_this_process_goes_on(tmp_path, monkeypatch, number):
    child = tmp_path / "python"
    child.write_text(f"#!/bin/sh\nkill -{number.value} $$\n")
    child.chmod(0o755)
    monkeypatch.setattr(trial.sys, "executable", str(child))
    with pytest.raises(ModelError, match=rf"it crashes the interpreter \({number.name}\); restore"):
        try_model(CARD, CONTENT)


def test_a_hang_is_one_line(tmp_path, monkeypatch):
    child = tmp_path / "python"
    child.write_text("#!/bin/sh\nexec sleep 60\n")
    child.chmod(0o755)
    monkeypatch.setattr(trial.sys, "executable", str(child))
    monkeypatch.setattr(trial, "TIMEOUT_S", 0.5)
    with pytest.raises(ModelError, match=r"hung on it for 0\.5 s"):
        try_model(CARD, CONTENT)


class Nonsense:
    """A classifier whose every answer is the same."""

    card = CARD

    def __init__(self, *, probabilities=(1, 0, 0, 0, 0, 0, 0, 0), valence=0.0):
        self.affect = Affect(np.array(probabilities, np.float32), valence, 0.0)

    def __call__(self, crops):
        return [self.affect for _ in crops]


def test_answers_must_make_sense():
    check_readings(Nonsense())
    for nonsense in (
        Nonsense(probabilities=(np.nan,) * 8),
        Nonsense(probabilities=(0.5,) * 8),
        Nonsense(probabilities=(2, -1, 0, 0, 0, 0, 0, 0)),
        Nonsense(valence=float("inf")),
        Nonsense(valence=1.5),
    ):
        with pytest.raises(ModelError, match="gives no probabilities"):
            check_readings(nonsense)


def test_the_models_that_come_with_fer_edge_cost_no_second_start(monkeypatch):
    monkeypatch.setattr(trial.sys, "executable", os.devnull)
    assert open_classifier(ModelConfig()).card == CARD
