"""The heads of a TFLite file: what comes into them, and other weights in place of theirs.

A file of ``…convert`` ends in average pooling and one matrix for each head, which are float32 or float16
also in an int8 file.  So the heads can be learned anew, and be written over the old ones byte for byte,
without TensorFlow.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_edge.affect.tflite import import_interpreter
from fer_edge.errors import ModelError
from fer_edge.modelcard import ModelCard
from fer_edge.preprocess import to_tensor
from fer_edge.quiet import quiet_stderr
from fer_edge.training.network import EMOTION, HEADS, VALENCE_AROUSAL
from fer_edge.types import GrayImage

REMEDY: Final = "name a model that `python -m fer_edge.training.convert` wrote"

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Head:
    """One linear layer."""

    kernel: Matrix
    """``[channels, values]``."""
    bias: Matrix
    """``[values]``."""

    def __call__(self, features: Matrix) -> Matrix:
        """``[N, values]`` from ``[N, channels]``: logits, or what tanh takes."""
        return features @ self.kernel + self.bias


@dataclass(frozen=True, eq=False)
class Heads:
    """Both heads of a model."""

    emotion: Head
    valence_arousal: Head


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a head's numbers lie."""

    data: NDArray[np.uint8]
    """A view of the file's bytes."""
    kind: type[np.float16 | np.float32]

    def read(self) -> Matrix:
        return self.data.view(self.kind).astype(np.float64)

    def write(self, values: Matrix) -> None:
        self.data[:] = np.ascontiguousarray(values, self.kind).reshape(-1).view(np.uint8)


@dataclass(frozen=True, eq=False)
class _Found:
    features: int
    """Index of the tensor that both heads take."""
    places: dict[str, tuple[_Place, _Place]]
    """Kernel, stored ``[values, channels]``, and bias, by head."""


def read_heads(card: ModelCard, content: bytes) -> Heads:
    """The heads of a model file.

    Raises:
        ModelError: the file does not end as those of ``…convert`` do.
    """
    places = _find(card, bytearray(content)).places
    return Heads(_head(places, EMOTION), _head(places, VALENCE_AROUSAL))


def with_heads(card: ModelCard, content: bytes, heads: Heads) -> bytes:
    """The file with other heads; nothing else in it changes, its size neither.

    Raises:
        ModelError: as ``read_heads``.
    """
    changed = bytearray(content)
    places = _find(card, changed).places
    for name, head in ((EMOTION, heads.emotion), (VALENCE_AROUSAL, heads.valence_arousal)):
        kernel, bias = places[name]
        kernel.write(head.kernel.T)
        bias.write(head.bias)
    return bytes(changed)


def features_of(card: ModelCard, content: bytes, crops: Iterable[GrayImage]) -> Matrix:
    """What the heads take for each crop: ``[N, channels]``.

    Raises:
        ModelError: as ``read_heads``, or the interpreter refuses the file.
        ConfigError: a picture cannot be read.
    """
    index = _find(card, bytearray(content)).features
    made = import_interpreter()
    resolver = sys.modules[made.__module__].OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        with quiet_stderr():
            interpreter = made(
                model_content=content,
                # Delegates keep what lies between the layers to themselves.
                experimental_op_resolver_type=resolver,
                experimental_preserve_all_tensors=True,
            )
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise ModelError(f"{card.file}: the interpreter refuses it: {reason}; {REMEDY}") from None
    takes = interpreter.get_input_details()[0]["index"]
    rows = []
    for crop in crops:
        interpreter.set_tensor(takes, to_tensor([crop], card.input))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(index)[0].astype(np.float64))
    return np.stack(rows)


def _head(places: dict[str, tuple[_Place, _Place]], name: str) -> Head:
    kernel, bias = places[name]
    return Head(kernel.read().reshape(HEADS[name], -1).T, bias.read())


def _find(card: ModelCard, content: bytearray) -> _Found:
    """The places of the heads in ``content``; the card's hash has vouched for its structure."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    steps = [graph.Operators(i) for i in range(graph.OperatorsLength())]
    kinds = [model.OperatorCodes(step.OpcodeIndex()).BuiltinCode() for step in steps]
    operators = schema.BuiltinOperator
    stored = {
        step.Outputs(0): step.Inputs(0)
        for step, kind in zip(steps, kinds, strict=True)
        if kind == operators.DEQUANTIZE
    }
    connected = [s for s, k in zip(steps, kinds, strict=True) if k == operators.FULLY_CONNECTED]
    by_size = {size: name for name, size in HEADS.items()}
    places = {}
    for step in connected:
        if step.InputsLength() > 2 and step.Inputs(2) >= 0:
            kernel, bias = (_place(model, graph, stored, step.Inputs(i)) for i in (1, 2))
            if kernel and bias:
                size = bias.data.size // np.dtype(bias.kind).itemsize
                places[by_size.get(size, "")] = (kernel, bias)
    inputs = {step.Inputs(0) for step in connected}
    if set(places) != set(HEADS) or len(inputs) != 1:
        raise ModelError(f"{card.file}: its heads are not where they should be; {REMEDY}")
    return _Found(inputs.pop(), places)


def _place(model: Any, graph: Any, stored: dict[int, int], index: int) -> _Place | None:
    """Where a tensor's numbers lie; None if they are no floats, or another tensor's too."""
    from ai_edge_litert import schema_py_generated as schema

    tensor = graph.Tensors(stored.get(index, index))
    types: dict[int, type[np.float16 | np.float32]] = {
        schema.TensorType.FLOAT16: np.float16,
        schema.TensorType.FLOAT32: np.float32,
    }
    users = [graph.Tensors(i).Buffer() for i in range(graph.TensorsLength())]
    kind = types.get(tensor.Type())
    buffer = model.Buffers(tensor.Buffer())
    if kind is None or users.count(tensor.Buffer()) != 1 or not buffer.DataLength():
        return None
    return _Place(buffer.DataAsNumpy(), kind)
