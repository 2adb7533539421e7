"""Comparing with stored pictures by structural similarity.

UPDATE_PICTURES=1 stores what is drawn instead; look at every one of them afterwards.
"""

import os
from pathlib import Path

import cv2
from skimage.metrics import structural_similarity

FOLDER = Path(__file__).parent / "pictures"


def similar(image, name, *, least=0.96):
    """Fails unless `image`, blue, green, red, is like the stored picture of that name."""
    path = FOLDER / f"{name}.jpg"
    if os.environ.get("UPDATE_PICTURES"):
        FOLDER.mkdir(exist_ok=True)
        cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    stored = cv2.imread(str(path))
    assert stored is not None, f"{path} is missing; UPDATE_PICTURES=1 makes it"
    assert stored.shape == image.shape
    likeness = structural_similarity(stored, image, channel_axis=2)
    assert likeness >= least, f"{name}: similarity {likeness:.4f}"
