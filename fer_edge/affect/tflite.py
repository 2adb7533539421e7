"""The TFLite interpreter: ai-edge-litert, or tflite-runtime, which is the same under its old name."""

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.calibration import with_temperature
from fer_edge.errors import ModelError
from fer_edge.modelcard import ModelCard
from fer_edge.preprocess import to_tensor
from fer_edge.types import EMOTIONS, Affect, GrayImage

INTERPRETERS = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


def import_interpreter() -> Any:
    """The `Interpreter` class of whichever package is installed.

    Raises:
        ModelError: neither is.
    """
    for name in INTERPRETERS:
        try:
            return importlib.import_module(name).Interpreter
        except ModuleNotFoundError:
            continue
    raise ModelError("no TFLite interpreter is installed; pip install ai-edge-litert")


class Classifier:
    """One loaded model; a call reads any number of crops, one after the other.

    One after the other, because the tensors of the interpreter are allocated for one crop: another
    number would allocate them again, which costs more than the network at a small α.
    """

    def __init__(self, card: ModelCard, model: bytes, *, threads: int = 1) -> None:
        self.card = card
        try:
            interpreter = import_interpreter()(model_content=model, num_threads=threads)
            self._run = interpreter.get_signature_runner()
            self._input, takes = next(iter(self._run.get_input_details().items()))
            gives = self._run.get_output_details()
        except (ValueError, RuntimeError, StopIteration) as error:
            reason = str(error).splitlines()[0] if str(error) else "no signature"
            raise ModelError(f"{card.file}: the interpreter refuses it: {reason}") from None
        _check(card, "input", takes, (card.input.height, card.input.width, card.input.channels))
        _check(card, "outputs.emotion", gives.get(card.outputs.emotion), (len(EMOTIONS),))
        _check(card, "outputs.valence_arousal", gives.get(card.outputs.valence_arousal), (2,))
        # The first run allocates and compiles: before the first face, not with it.
        self([np.zeros((card.input.height, card.input.width), np.uint8)])

    def __call__(self, crops: Sequence[GrayImage]) -> list[Affect]:
        """One reading for each luma crop, in the same order."""
        return [self._read(tensor) for tensor in to_tensor(crops, self.card.input)]

    def _read(self, tensor: NDArray[np.float32]) -> Affect:
        outputs = self._run(**{self._input: tensor[np.newaxis]})
        names = self.card.outputs
        probabilities = with_temperature(outputs[names.emotion][0], self.card.temperature)
        probabilities.flags.writeable = False
        valence, arousal = outputs[names.valence_arousal][0]
        return Affect(probabilities, float(valence), float(arousal))


def _check(card: ModelCard, field: str, tensor: Any, shape: tuple[int, ...]) -> None:
    """That a tensor of the model is there, and as the card's `field` has it.

    An interpreter would stretch itself to a wrong input size without a word, and read nonsense.
    """
    found = None if tensor is None else tuple(int(side) for side in tensor["shape"][1:])
    if found != shape:
        has = "no such tensor" if found is None else "×".join(map(str, found))
        raise ModelError(
            f"{card.file}: {field}: the model has {has}, its card says {'×'.join(map(str, shape))}; "
            "restore the card that came with the model"
        )
