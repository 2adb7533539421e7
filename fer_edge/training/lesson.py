"""Batches that are made on a PyTorch device, and what teachers say of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from fer_edge.evaluation.datasets import Samples
from fer_edge.preprocess import to_tensor
from fer_edge.training import network, resnet
from fer_edge.training.augment import augment, even_light
from fer_edge.training.balance import class_weights, draw, region_weights
from fer_edge.training.options import Config, input_spec, names_of, size_of
from fer_edge.training.recipes import recipe_of
from fer_edge.training.weights import load_weights

Step = Callable[[], None]

CHUNK: Final = 512
"""Pictures at a time where no gradient is needed."""


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


class Teacher:
    """A trained network that is only asked."""

    def __init__(self, name: str, config: Config) -> None:
        weights = load_weights(name, channels=config.channels)
        self._size = size_of(name, resnet.SIZE if resnet.is_resnet(weights) else config.size)
        kind = kind_of(config)
        self._state = {
            name: torch.tensor(array, device=device_of(), dtype=kind if "conv" in name else None)
            for name, array in weights.items()
        }
        of_resnet = resnet.is_resnet(weights)
        self._forward = resnet.forward if of_resnet else network.forward_folded
        self._channels = 1 if of_resnet else config.channels
        self._temperature = config.temperature

    def opinion(self, pictures: Any) -> Any:
        """Probabilities ``[N, 8]`` of ``pictures`` ``[N, side, side, C]``, brought to its own size."""
        pictures = pictures[..., : self._channels]
        if pictures.shape[1] != self._size:
            size = (self._size, self._size)
            channels_first = pictures.movedim(-1, 1)
            pictures = interpolate(channels_first, size, mode="bilinear").movedim(1, -1)
        logits, _ = self._forward(self._state, pictures.contiguous())
        return (logits / self._temperature).softmax(1)


class Lesson:
    """A batch on the device: pictures changed and mixed, and what is to be said of them."""

    def __init__(self, config: Config, samples: Samples, size: int) -> None:
        self._config = config
        self._device = device = device_of()
        self._recipe = recipe_of(config.augment, config.change)
        self._spec = input_spec(config.size, config.channels, even=config.even_light)
        self._size = size
        self._labels = samples.labels
        self.prior = samples.soft_labels.mean(0)
        # As one array, which mixes as one: what is unknown (NaN) stays so.
        self._facts = torch.tensor(_facts(config, samples), device=device)
        self._pictures = torch.tensor(_alike(samples, config.size), device=device)
        self._teachers = [Teacher(name, config) for name in names_of(config.teacher)]
        ask_once = self._teachers and config.teacher_sees == "unchanged"
        self._known = self._ask_once() if ask_once else None
        self._rows = torch.zeros(config.batch, dtype=torch.int64, device=device)
        self._share = torch.ones(config.batch, device=device)
        self._give = recorded(self._make)

    @torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
    def _make(self) -> None:
        """From rows and shares, make what the students see; on a card only recorded here."""
        config = self._config
        given = self._pictures[self._rows].float()
        moved, changed, mirrored = augment(given, self._size, self._recipe)
        facts = self._facts[self._rows]
        if config.mixup:
            # With its predecessor (Zhang et al., *mixup*, ICLR 2018, arXiv:1710.09412).
            moved, changed, facts = (
                mixed(values, self._share) for values in (moved, changed, facts)
            )
        self.pictures = self._as_input(changed)
        votes, self.plane, weights = facts.split([8, 2, 2], 1)
        self.emotion, self.weights = votes, weights.T
        if self._teachers:
            opinion = self._opinion(moved, mirrored)
            self.emotion = votes.lerp(opinion, config.share)

    def _opinion(self, moved: Any, mirrored: Any) -> Any:
        """What the teachers say ``[N, 8]``, on average."""
        config = self._config
        if self._known is not None:
            opinion = self._known[mirrored.long(), self._rows]
            return mixed(opinion, self._share) if config.mixup else opinion
        seen = self.pictures if config.teacher_sees == "changed" else self._as_input(moved)
        return torch.stack([each.opinion(seen) for each in self._teachers]).mean(0)

    @torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
    def _ask_once(self) -> Any:
        """The teachers' opinion ``[2, N, 8]`` of every picture as it is and of its mirror image."""
        both = []
        for flip in (False, True):
            parts = []
            for chunk in self._pictures.split(CHUNK):
                grey = (chunk.flip(2) if flip else chunk).float()[:, None]
                side = (self._config.size, self._config.size)
                tensor = self._as_input(interpolate(grey, side, mode="bilinear")[:, 0])
                said = [each.opinion(tensor) for each in self._teachers]
                parts.append(torch.stack(said).mean(0))
            both.append(torch.cat(parts))
        return torch.stack(both)

    def _as_input(self, grey: Any) -> Any:
        """Grey levels ``[N, h, w]`` as ``preprocess.to_tensor`` makes them the network's input."""
        spec = self._spec
        if spec.mean is not None and spec.deviation is not None:
            grey = even_light(grey, spec.mean, spec.deviation)
        tensor = (grey * spec.scale + spec.offset).to(kind_of(self._config))[..., None]
        return tensor.expand(-1, -1, -1, spec.channels).contiguous()

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


def mixed(values: Any, share: Any) -> Any:
    """``share`` ``[N]`` of each row ``[N, …]`` and the rest of its predecessor."""
    share = share.view(-1, *(1,) * (values.ndim - 1))
    return values.roll(1, 0).lerp(values, share)


def _facts(config: Config, samples: Samples) -> NDArray[np.float32]:
    """``[N, 12]``: votes, valence and arousal, and what each of the two weighs."""
    plane, alike = samples.valence_arousal, np.ones(len(samples), np.float32)
    by_class = class_weights(samples.labels) if config.class_weights == "balanced" else alike
    by_region = region_weights(plane, config.va_regions) if config.va_regions else alike
    columns = np.column_stack([samples.soft_labels, plane, by_class, by_region])
    return columns.astype(np.float32)


def _alike(samples: Samples, size: int) -> NDArray[np.uint8]:
    """All pictures ``[N, h, w]`` as they are, or as large as the input where they differ."""
    pictures = list(samples.pictures)
    if len({picture.shape for picture in pictures}) == 1:
        return np.stack(pictures)
    as_is = input_spec(size).model_copy(update={"scale": 1.0, "offset": 0.0})
    return to_tensor(pictures, as_is)[..., 0].round().astype(np.uint8)
