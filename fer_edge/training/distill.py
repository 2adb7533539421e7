"""A teacher's opinion of every training picture, computed once and kept on disk.

Hinton, Vinyals and Dean, *Distilling the Knowledge in a Neural Network*, 2015
(arXiv:1503.02531); the opinion is of the unchanged picture and of its mirror image.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.evaluation.datasets import Samples
from fer_edge.modelcard import InputSpec
from fer_edge.preprocess import to_tensor
from fer_edge.training.folded import load_weights
from fer_edge.training.network import teacher
from fer_edge.training.options import input_spec, load_config, names_of, run_of
from fer_edge.training.torch_layers import native
from fer_edge.types import GrayImage

log = logging.getLogger(__name__)

CHUNK = 2048


def mirrored(pictures: list[GrayImage]) -> list[GrayImage]:
    """Each picture left to right."""
    return [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]


def opinions(names: str, samples: Samples, spec: InputSpec, cache: Path) -> NDArray[np.float32]:
    """Logits ``[teachers, 2, N, 8]`` of every teacher named, separated by commas."""
    return np.stack([teacher_logits(Path(name), samples, spec, cache) for name in names_of(names)])


def spec_of(path: Path, spec: InputSpec) -> InputSpec:
    """What the teacher in ``path`` is asked with: a run at the size and in the channels of its training."""
    run = run_of(path)
    if run is None:
        return spec
    config = load_config(run)
    return input_spec(config.size, config.channels)


def teacher_logits(
    path: Path, samples: Samples, spec: InputSpec, cache: Path
) -> NDArray[np.float32]:
    """Return ``[2, N, 8]`` logits of the teacher in ``path``: pictures, mirror images.

    Raises:
        ConfigError: there is no such teacher.
    """
    spec = spec_of(path, spec)
    model = native(teacher(load_weights(str(path), channels=spec.channels), size=spec.height))
    content = path / "best.weights.h5" if path.is_dir() else path
    digest = hashlib.sha256(content.read_bytes())
    digest.update("".join(samples.names.tolist()).encode() + spec.model_dump_json().encode())
    stored = cache / f"teacher-{digest.hexdigest()[:16]}.npy"
    if stored.is_file():
        known: NDArray[np.float32] = np.load(stored, allow_pickle=False).astype(np.float32)
        return known
    both: list[NDArray[np.float32]] = []
    for mirror in (False, True):
        parts = []
        for start in range(0, len(samples), CHUNK):
            crops = list(samples.pictures[start : start + CHUNK])
            tensor = to_tensor(mirrored(crops) if mirror else crops, spec)
            parts.append(model.predict(tensor, batch_size=64, verbose=0))
            log.info("teacher: %d of %d, mirror %s", start + len(crops), len(samples), mirror)
        both.append(np.concatenate(parts))
    logits = np.stack(both)
    cache.mkdir(parents=True, exist_ok=True)
    partial = stored.with_suffix(".part.npy")
    np.save(partial, logits.astype(np.float16))
    partial.rename(stored)
    return logits


def blend(
    soft_labels: NDArray[np.float32],
    logits: NDArray[np.float32],
    *,
    share: float,
    temperature: float,
) -> NDArray[np.float32]:
    """Mix votes ``[N, 8]`` with ``share`` of the mean of opinions ``[teachers, 2, N, 8]``."""
    scaled = logits / temperature
    opinion = np.exp(scaled - scaled.max(-1, keepdims=True))
    opinion /= opinion.sum(-1, keepdims=True)
    mixed: NDArray[np.float32] = (1 - share) * soft_labels + share * opinion.mean(0)
    return mixed.astype(np.float32)
