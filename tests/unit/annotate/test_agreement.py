"""How far annotators agree, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, mean_squared_error

from fer_edge.annotate._agreement import alpha
from fer_edge.evaluation.people import NO_FACE, UNDECIDED, People, beside, consensus, pairs

HAPPY, SAD = 1, 2


def people(labels, valence):
    labels = np.array(labels)
    plane = np.stack([np.array(valence, float), np.zeros(labels.shape)], axis=-1)
    return People(tuple("abc"[: len(labels)]), labels, plane)


def test_more_than_half_decide_and_half_do_not():
    said = people(
        [[HAPPY, HAPPY, NO_FACE], [HAPPY, SAD, NO_FACE]], [[0.2, 0.5, np.nan], [0.4, -0.5, np.nan]]
    )
    labels, plane = consensus(said.labels, said.plane)
    assert labels.tolist() == [HAPPY, UNDECIDED, NO_FACE]
    assert plane[:2, 0] == pytest.approx([0.3, 0.0])
    assert np.isnan(plane[2, 0])


def test_a_missing_answer_is_no_vote():
    said = people([[HAPPY], [HAPPY], [UNDECIDED]], [[0.1], [0.3], [np.nan]])
    labels, plane = consensus(said.labels, said.plane)
    assert labels.tolist() == [HAPPY]
    assert plane[0, 0] == pytest.approx(0.2)


def test_pairs_are_as_scikit_learn_has_them():
    random = np.random.default_rng(1)
    labels = random.integers(0, 8, (3, 60))
    valence = random.uniform(-1, 1, (3, 60))
    found = pairs(people(labels, valence))
    couples = [(0, 1), (0, 2), (1, 2)]
    assert found["accuracy"] == pytest.approx(
        np.mean([accuracy_score(labels[a], labels[b]) for a, b in couples])
    )
    assert found["valence.rmse"] == pytest.approx(
        np.mean([mean_squared_error(valence[a], valence[b]) ** 0.5 for a, b in couples])
    )


def test_pairs_by_hand():
    found = pairs(people([[HAPPY, SAD], [HAPPY, HAPPY]], [[0.5, -0.5], [0.1, 0.1]]))
    assert found["accuracy"] == 0.5
    assert found["valence.rmse"] == pytest.approx(np.sqrt((0.16 + 0.36) / 2))
    assert found["valence.sagr"] == 0.5
    assert found["valence.ccc"] == 0.0


def test_alpha_by_hand():
    # Krippendorff 2011, "Computing Krippendorff's alpha-reliability", part B: 0.095.
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert alpha(np.array([first, second], float), "nominal") == pytest.approx(0.095, abs=5e-4)


def test_alpha_of_one_answer_everywhere_is_not_defined():
    assert alpha(np.ones((2, 5)), "nominal") is None


def test_nobody_is_compared_with_his_own_vote():
    said = people([[HAPPY, HAPPY], [SAD, SAD], [SAD, SAD]], np.zeros((3, 2)))
    found = beside(said, np.array([SAD, SAD]), np.zeros((2, 2)))
    first = found[0]
    assert (first.name, first.person["accuracy"], first.model["accuracy"]) == ("a", 0.0, 1.0)
    # The others of b are a and c, who say different things: that decides nothing.
    assert [one.name for one in found if "accuracy" in one.person] == ["a"]
