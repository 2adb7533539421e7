"""Weights as TensorFlow.js stores them: a manifest in JSON, and files of bytes beside it.

The format is that of tfjs' ``WeightsManifestConfig``: tensors one after the other, each as its ``dtype``
or quantised, to ``float16`` or linearly (``value * scale + min``) to ``uint8`` or ``uint16``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError


def read_weights(path: Path) -> dict[str, NDArray[Any]]:
    """All tensors by name, float32 where they were quantised.

    ``path``: the model's JSON file, or a manifest of its own.

    Raises:
        ConfigError: a file is missing, cut off or not of this format.
    """
    try:
        content = json.loads(path.read_text())
        groups = content["weightsManifest"] if isinstance(content, dict) else content
        weights: dict[str, NDArray[Any]] = {}
        for group in groups:
            files = [path.parent / name for name in group["paths"]]
            blob = b"".join(file.read_bytes() for file in files)
            weights |= _tensors(blob, group["weights"])
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(
            f"{error.filename}: {why}; name the .json file in the unpacked package, its .bin beside it"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: no weights of TensorFlow.js, or cut off ({error}); unpack the package again"
        ) from None
    return weights


def _tensors(blob: bytes, entries: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    made = {}
    place = 0
    for entry in entries:
        quantised = entry.get("quantization")
        kind = np.dtype(quantised["dtype"] if quantised else entry["dtype"])
        count = int(np.prod(entry["shape"]))
        values: NDArray[Any] = np.frombuffer(blob, kind, count, place)
        place += values.nbytes
        if quantised:
            values = values.astype(np.float32)
            if "scale" in quantised:
                values = values * np.float32(quantised["scale"]) + np.float32(quantised["min"])
        made[entry["name"]] = values.reshape(entry["shape"])
    if place != len(blob):
        raise ValueError(f"{len(blob)} bytes, the manifest says {place}")
    return made
