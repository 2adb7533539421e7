"""Batches that are made on a PyTorch device, and what teachers say of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fer_edge.evaluation.datasets import Samples
from fer_edge.preprocess import to_tensor
from fer_edge.training.augment import recipe_of
from fer_edge.training.balance import draw
from fer_edge.training.distill import spec_of
from fer_edge.training.folded import load_weights
from fer_edge.training.options import Config, input_spec, names_of
from fer_edge.training.torch_augment import augment_batch
from fer_edge.training.torch_network import Teacher
from fer_edge.training.train import targets_of

Step = Callable[[], None]


def device_of() -> Any:
    """The graphics card, or the processor where there is none."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def recorded(step: Step) -> Step:
    """The same step, where there is a card as a CUDA graph; it has run by then, once or more."""
    if not torch.cuda.is_available():
        step()
        return step
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    replay: Step = graph.replay
    return replay


def kind_of(config: Config) -> Any:
    """What maps are computed in."""
    return torch.bfloat16 if config.bfloat16 else torch.float32


class Lesson:
    """A batch on the device: pictures changed and mixed, and what is to be said of them."""

    def __init__(self, config: Config, samples: Samples) -> None:
        self._config = config
        self._device = device = device_of()
        self._recipe = recipe_of(config.augment, config.change)
        self._spec = spec = input_spec(config.size, config.channels)
        self._labels = samples.labels
        self.prior = samples.soft_labels.mean(0)
        votes = targets_of(dataclasses.replace(config, teacher=""), samples, spec, Path())
        # As one array, which mixes as one: what is unknown (NaN) stays so, as in ``batches.mixed``.
        facts = np.column_stack(
            [
                votes.emotion[0],
                votes.valence_arousal,
                votes.emotion_weight,
                votes.valence_arousal_weight,
            ]
        )
        self._facts = torch.tensor(facts.astype(np.float32), device=device)
        self._pictures = torch.tensor(_alike(samples, config.size), device=device)
        self._teachers = [
            Teacher(
                load_weights(name, channels=config.channels),
                size=spec_of(Path(name), spec).height,
                device=device,
                kind=kind_of(config),
            )
            for name in names_of(config.teacher)
        ]
        self._rows = torch.zeros(config.batch, dtype=torch.int64, device=device)
        self._share = torch.ones(config.batch, device=device)
        self._give = recorded(self._make)

    @torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
    def _make(self) -> None:
        """From rows and shares, make what the students see; on a card only recorded here."""
        config, spec = self._config, self._spec
        grey = augment_batch(self._pictures[self._rows].float(), config.size, self._recipe)
        facts = self._facts[self._rows]
        if config.mixup:
            grey, facts = (_mixed(values, self._share) for values in (grey, facts))
        pictures = (grey * spec.scale + spec.offset).to(kind_of(config))[..., None]
        self.pictures = pictures.expand(-1, -1, -1, config.channels).contiguous()
        said, self.plane, weights = facts.split([8, 2, 2], 1)
        if self._teachers:
            opinions = [
                (each.logits(self.pictures) / config.temperature).softmax(1)
                for each in self._teachers
            ]
            said = said.lerp(torch.stack(opinions).mean(0), config.share)
        self.emotion, self.weights = said, weights.T

    def epoch(self, number: int) -> tuple[Any, Any]:
        """Rows and shares ``[steps, batch]`` of an epoch, the same for the same seed."""
        config = self._config
        torch.manual_seed(config.seed + 1000 * number)
        rng = np.random.default_rng((config.seed, number))
        rows = draw(self._labels, config.sampling, rng)
        steps = max(1, len(rows) // config.batch)
        rows = np.resize(rows, (steps, config.batch))
        both = config.mixup or 1.0
        shares = rng.beta(both, both, rows.shape).astype(np.float32)
        return torch.tensor(rows, device=self._device), torch.tensor(shares, device=self._device)

    def give(self, rows: Any, shares: Any) -> None:
        """Make the batch of these rows ``[batch]``."""
        self._rows.copy_(rows)
        self._share.copy_(shares)
        self._give()


def _alike(samples: Samples, size: int) -> NDArray[np.uint8]:
    """All pictures ``[N, h, w]`` as they are, or as large as the input where they differ."""
    pictures = list(samples.pictures)
    if len({picture.shape for picture in pictures}) == 1:
        return np.stack(pictures)
    as_is = input_spec(size).model_copy(update={"scale": 1.0, "offset": 0.0})
    return to_tensor(pictures, as_is)[..., 0].round().astype(np.uint8)


def _mixed(values: Any, share: Any) -> Any:
    """``batches.mixed`` for tensors."""
    share = share.view(-1, *(1,) * (values.ndim - 1))
    return values.roll(1, 0).lerp(values, share)
