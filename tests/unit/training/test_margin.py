import cv2
import numpy as np
import pytest
from skimage import data

from fer_edge.training.margin import Fit, fit


def test_a_box_on_a_face_is_compared_with_its_crop() -> None:
    portrait = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)
    # Where the cascade itself finds the face: a crop that is already what the edge cuts.
    face = cv2.resize(portrait[66:161, 177:272], (48, 48), interpolation=cv2.INTER_AREA)
    pictures = np.empty(2, object)
    pictures[:] = [face, np.zeros((48, 48), np.uint8)]
    measured = fit(pictures)
    assert measured.crops == 2
    np.testing.assert_allclose(measured.boxes, [[0.5, 0.5, 1.0]], atol=0.1)


def test_the_margin_makes_the_middling_box_the_crop() -> None:
    boxes = np.array([[0.5, 0.5, 0.7], [0.5, 0.5, 0.8], [0.5, 0.5, 1.0]])
    margin = Fit(3, boxes).margin
    assert 0.8 * (1 + 2 * margin) == pytest.approx(1)
