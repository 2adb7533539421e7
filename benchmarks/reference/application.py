"""What M. Vadlejch's application does with a frame, one step after the other, in one thread.

*Real-time Facial Expression Recognition in the Wild*, CTU Prague 2021, sections 4.3.8 and 5: a
webcam at 1920×1080, OpenCV's Viola-Jones on every frame, MobileNetV1 in Keras at 224×224×3, boxes
with emotion, valence and arousal drawn over the picture. It publishes neither the application's
source nor the detector's parameters, but their cost: 59 ms a frame on a Raspberry Pi 4.

Where the thesis leaves room, this favours the reference: nothing is drawn or shown, all faces of a
frame go through the network as one batch, the detector asks for large faces only (below), and the
network has random weights, which are as quick as trained ones.

**The detector's parameters.** With its own defaults (scale 1.1, no least size) OpenCV's frontal
face cascade takes 323 to 437 ms for 640×640 on four threads of a Pi 4 (TonyCongqianWang,
cv_facedetection_eval). The cost of a 1080p frame as a share of that was measured here on one
machine, by processor time, on the demo's frames and two clips of real faces; times 323 … 437 it
says what the same parameters would take on a Pi 4:

    scale 1.3, least size 130 px: share .116 to .177, so 37 … 77 ms, middle 57   ← taken
    scale 1.2, least size 160 px: share .145 to .186, so 47 … 81 ms, middle 64
    scale 1.2, least size 200 px: share .081 to .143, so 26 … 63 ms, but misses faces of the demo
    scale 1.1, least size 200 px: share .135 to .239, so 44 … 104 ms

Taken is the one whose middle comes nearest to 59 ms from below, and that finds every demo face.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

SCALE_FACTOR = 1.3
MIN_SIZE = 130
"""Pixels of the full frame; the demo's smallest face has 173."""
MIN_NEIGHBORS = 5
SIDE = 224
"""Pixels; the network's input."""


class Inference(StrEnum):
    """How the network is run in Keras."""

    PREDICT = "predict"
    """`model.predict`, as in its tutorials; at a small α most of a call goes into preparing it."""
    FUNCTION = "tf.function"
    """A graph that was traced once: the least that TensorFlow can take."""


@dataclass(frozen=True)
class RecognisedFace:
    """One face."""

    box: tuple[int, int, int, int]
    probabilities: NDArray[np.float32]
    valence_arousal: NDArray[np.float32]


class Application:
    """Call it with a frame as OpenCV's video capture delivers it, [1080, 1920, 3], blue first."""

    def __init__(self, alpha: float, inference: Inference) -> None:
        import tensorflow as tf

        from fer_edge.training.export import keras_network
        from fer_edge.training.network import fold, random_weights

        weights = fold(random_weights(alpha, 3, np.random.default_rng(0)))
        self._model = keras_network(weights, size=SIDE)
        self._inference = inference
        signature = tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32)
        self._traced = tf.function(
            lambda pictures: self._model(pictures, training=False), input_signature=[signature]
        ).get_concrete_function()
        name = Path(cv2.data.haarcascades, "haarcascade_frontalface_default.xml")
        self._cascade = cv2.CascadeClassifier(str(name))

    def __call__(self, frame: NDArray[np.uint8]) -> list[RecognisedFace]:
        """Every face of the frame, read."""
        boxes = self.detect(frame)
        if not boxes:
            return []
        outputs = self.classify(self.prepare(frame, boxes))
        rows = zip(boxes, outputs["emotion"], outputs["valence_arousal"], strict=True)
        return [RecognisedFace(*row) for row in rows]

    def detect(self, frame: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
        """Boxes of the faces: x, y, width, height."""
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        found = self._cascade.detectMultiScale(
            gray,
            scaleFactor=SCALE_FACTOR,
            minNeighbors=MIN_NEIGHBORS,
            minSize=(MIN_SIZE, MIN_SIZE),
        )
        return [tuple(int(value) for value in box) for box in found]

    def prepare(
        self, frame: NDArray[np.uint8], boxes: list[tuple[int, int, int, int]]
    ) -> NDArray[np.float32]:
        """The faces as the network wants them, red first, in [-1, 1]."""
        batch = np.empty((len(boxes), SIDE, SIDE, 3), np.float32)
        for row, (x, y, width, height) in zip(batch, boxes, strict=True):
            face = cv2.resize(frame[y : y + height, x : x + width], (SIDE, SIDE))
            row[:] = cv2.cvtColor(face, cv2.COLOR_BGR2RGB)
        batch /= np.float32(127.5)
        batch -= np.float32(1)
        return batch

    def classify(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Probabilities, valence and arousal of every face."""
        if self._inference is Inference.PREDICT:
            return self._model.predict(batch, verbose=0)
        import tensorflow as tf

        outputs = self._traced(tf.constant(batch))
        return {name: value.numpy() for name, value in outputs.items()}
