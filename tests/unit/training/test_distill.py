import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")
pytestmark = pytest.mark.train

from fer_edge.training.distill import blend  # noqa: E402  needs what is checked above


@pytest.fixture
def votes() -> np.ndarray:
    return np.eye(8, dtype=np.float32)[[0, 3]]


def test_without_a_share_the_votes_stand(votes) -> None:
    logits = np.random.default_rng(0).normal(size=(3, 2, 2, 8)).astype(np.float32)
    mixed = blend(votes, logits, share=0.0, temperature=1.0)
    np.testing.assert_allclose(mixed, [votes, votes])


def test_an_opinion_is_mixed_in_and_softened_by_temperature(votes) -> None:
    logits = np.zeros((1, 2, 2, 8), np.float32)
    logits[0, 1, :, 1] = 4
    sharp = blend(votes, logits, share=0.5, temperature=1.0)
    soft = blend(votes, logits, share=0.5, temperature=4.0)
    np.testing.assert_allclose(sharp.sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(sharp[0, 0, 0], 0.5 + 0.5 / 8, rtol=1e-6)
    assert sharp[1, 0, 1] > soft[1, 0, 1] > sharp[0, 0, 1]


def test_of_several_teachers_the_mean_opinion_counts(votes) -> None:
    logits = np.zeros((2, 2, 2, 8), np.float32)
    logits[0, ..., 0] = logits[1, ..., 1] = 50
    mixed = blend(votes, logits, share=1.0, temperature=1.0)
    np.testing.assert_allclose(mixed[0, 0], [0.5, 0.5, 0, 0, 0, 0, 0, 0], atol=1e-6)
