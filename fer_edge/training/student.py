"""One network in training on a PyTorch device, beside others that get the same lesson."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from fer_edge.errors import ConfigError
from fer_edge.evaluation import metrics
from fer_edge.evaluation.datasets import Samples
from fer_edge.preprocess import to_tensor
from fer_edge.training import network, resnet
from fer_edge.training.lesson import CHUNK, Lesson, device_of, kind_of, recorded
from fer_edge.training.losses import logit_shift, plane_loss
from fer_edge.training.narrow import start_from
from fer_edge.training.network import MOVING, Weights, random_weights
from fer_edge.training.options import Config, input_spec
from fer_edge.training.weights import BEST, LAST, group_of, load_weights, save_arrays

CLIP: Final = 5.0
"""Longest gradient, over all weights."""
EVERY: Final = 4
"""Steps between two updates of the averages: an update costs a little."""


def start(config: Config, samples: Samples) -> Weights:
    """The weights to start from, not folded.

    Raises:
        ConfigError: ``--init`` is of the other network, or cannot be read.
    """
    rng = np.random.default_rng(config.seed)
    weights = load_weights(config.init, channels=config.channels) if config.init else {}
    of_resnet = config.network == "resnet"
    if of_resnet != resnet.is_resnet(weights) and (of_resnet or weights):
        raise ConfigError(f"--init {config.init}: not weights of --network {config.network}")
    if of_resnet:
        return resnet.with_heads(weights, rng)
    plain = random_weights(config.alpha, config.channels, rng)
    if not weights:
        return plain
    rows = rng.permutation(len(samples))[:512]
    spec = input_spec(config.size, config.channels, even=config.even_light)
    started: Weights = start_from(plain, weights, to_tensor(list(samples.pictures[rows]), spec))
    return started


class Student:
    """One width: its weights, their averages, its optimizer and its step.

    Averages generalise better than the last step (Polyak and Juditsky 1992; Izmailov et al. 2018).
    """

    def __init__(self, config: Config, samples: Samples, lesson: Lesson) -> None:
        # With this module TensorBoard writes by itself. TensorFlow must not be in this process, see `export`.
        sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
        from torch.utils.tensorboard import SummaryWriter

        self.config = config
        self.out = Path(config.out)
        self.events = SummaryWriter(str(self.out / "tensorboard"))
        self._lesson = lesson
        device = device_of()
        self._forward = resnet.forward if config.network == "resnet" else network.forward
        self._state = network.tensors(start(config, samples), device)
        learnt = {n: t for n, t in self._state.items() if n.rpartition("/")[2] not in MOVING}
        self._learnt = [tensor.requires_grad_() for tensor in learnt.values()]
        self._rate = torch.zeros((), device=device)
        self._optimizer = _optimizer(config, learnt, self._rate)
        self._shift = torch.tensor(logit_shift(lesson.prior, config.tau), device=device)
        self._loss = torch.zeros((), device=device)
        self._average = [t.detach().clone() for t in self._state.values()]
        self._steps, self._counted, self._best = 0, 0, -math.inf
        self.first = 0
        self.attend(lesson)
        put([self._loss, *self._memory()], [torch.zeros(())] * (1 + len(self._memory())))

    def attend(self, lesson: Lesson) -> None:
        """Learn from this lesson from now on: the step is recorded for its pictures."""
        self._lesson = lesson
        before = [t.detach().clone() for t in (*self._state.values(), *self._memory(), self._loss)]
        self._step = recorded(self._learn)
        if len(before) == len(self._state) + 1:
            # The optimizer had no memory yet; the caller empties it.
            put(list(self._state.values()), before[:-1])
        else:
            # Recording has run the step: what it changed is put back.
            put([*self._state.values(), *self._memory(), self._loss], before)

    def _learn(self) -> None:
        """One step of the optimizer."""
        lesson, config = self._lesson, self.config
        logits, plane = self._forward(
            self._state, lesson.pictures, training=True, rate=config.dropout
        )
        scores = (logits + self._shift).log_softmax(1)
        by_emotion, by_plane = lesson.weights
        emotion = -(by_emotion * (lesson.emotion * scores).sum(1)).mean()
        error = (by_plane * plane_loss(config.va_loss, lesson.plane, plane)).mean()
        loss = emotion + config.va_weight * error
        slopes = torch.autograd.grad(loss, self._learnt)
        for tensor, slope in zip(self._learnt, slopes, strict=True):
            tensor.grad = slope.contiguous()
        torch.nn.utils.clip_grad_norm_(self._learnt, CLIP, foreach=True)
        self._optimizer.step()
        self._loss.add_(loss.detach())

    def learn(self, rate: float) -> None:
        """One step on the lesson's batch."""
        self._rate.fill_(rate)
        self._step()
        self._steps += 1
        decay = self.config.average
        if decay and self._steps % EVERY:
            return
        share = 1 - decay_at(decay, self._steps)
        with torch.no_grad():
            torch._foreach_lerp_(self._average, list(self._state.values()), share)

    def loss(self) -> float:
        """Mean of the steps' losses since the last time."""
        mean = float(self._loss) / max(1, self._steps - self._counted)
        self._loss.zero_()
        self._counted = self._steps
        return mean

    @torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
    def validate(self, pictures: Any, samples: Samples) -> dict[str, float]:
        """Figures of the averaged weights, without averaging in the mirror image."""
        averaged = dict(zip(self._state, self._average, strict=True))
        kind = kind_of(self.config)
        logits, plane = zip(
            *(self._forward(averaged, chunk.to(kind)) for chunk in pictures.split(CHUNK)),
            strict=True,
        )
        return figures_of(samples, *(torch.cat(part).cpu().numpy() for part in (logits, plane)))

    def keep(self, epoch: int, score: float) -> None:
        """Write the checkpoint to go on from and, if the score is the best yet, the weights."""
        averaged = network.arrays(dict(zip(self._state, self._average, strict=True)))
        if score > self._best:
            self._best = score
            save_arrays(self.out / BEST, averaged)
        memory = {f"{i:04}": tensor for i, tensor in enumerate(self._memory())}
        groups = {
            "model": network.arrays(self._state),
            "average": averaged,
            "optimizer": network.arrays(memory),
        }
        stored = {f"{group}/{n}": a for group, named in groups.items() for n, a in named.items()}
        counted = {"epoch": epoch, "best": self._best, "steps": self._steps}
        save_arrays(
            self.out / LAST, stored | {name: np.array(value) for name, value in counted.items()}
        )

    def restore(self) -> None:
        """Set everything as ``keep`` left it, if it did; ``first`` is the next epoch."""
        path = self.out / LAST
        if not path.is_file():
            return
        with np.load(path, allow_pickle=False) as stored:
            put(list(self._state.values()), list(group_of(stored, "model").values()))
            put(self._average, list(group_of(stored, "average").values()))
            put(self._memory(), list(group_of(stored, "optimizer").values()))
            self._steps = self._counted = int(stored["steps"])
            self._best = float(stored["best"])
            self.first = int(stored["epoch"])

    def _memory(self) -> list[Any]:
        """What the optimizer remembers, in the order of the weights."""
        state = self._optimizer.state
        return [state[t][key] for t in self._learnt for key in sorted(state[t])]


def _optimizer(config: Config, learnt: dict[str, Any], rate: Any) -> Any:
    """The optimizer; kernels decay with AdamW, nothing else does."""
    on_card = rate.is_cuda
    if config.optimizer == "rmsprop":
        # As Keras has it.
        return torch.optim.RMSprop(
            list(learnt.values()), lr=rate, alpha=0.9, eps=1e-7, capturable=on_card
        )
    kernels = [t for n, t in learnt.items() if n.endswith("kernel")]
    others = [t for n, t in learnt.items() if not n.endswith("kernel")]
    decay = config.decay if config.optimizer == "adamw" else 0.0
    return torch.optim.AdamW(
        [
            {"params": kernels, "weight_decay": decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=rate,
        capturable=on_card,
        fused=on_card,
        foreach=False,
    )


def decay_at(decay: float, steps: int) -> float:
    """What is kept of the averages ``EVERY`` steps later; young ones forget faster."""
    return min(decay**EVERY, (1 + steps) / (40 + steps))


def figures_of(
    samples: Samples, emotion: NDArray[np.float32], plane: NDArray[np.float32]
) -> dict[str, float]:
    """Figures of what a network said of the samples, ``[N, 8]`` and ``[N, 2]``.

    ``score``, by which an epoch is the best, is accuracy + macro F1.
    """
    figures = metrics.summary(metrics.confusion(samples.labels, emotion.argmax(1)))
    axes = [metrics.axis_figures(samples.valence_arousal, plane, axis) for axis in range(2)]
    return {
        **figures,
        "score": figures["accuracy"] + figures["macro_f1"],
        **{f"rmse_{n}": a.rmse for n, a in zip(("valence", "arousal"), axes, strict=True) if a},
        **{f"ccc_{n}": a.ccc for n, a in zip(("valence", "arousal"), axes, strict=True) if a},
    }


@torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
def put(tensors: list[Any], values: list[Any]) -> None:
    """Change tensors in place: a CUDA graph knows where they lie."""
    for tensor, value in zip(tensors, values, strict=True):
        tensor.copy_(torch.as_tensor(value))


def rate_at(config: Config, steps: int, step: int) -> float:
    """Learning rate of a step: warm-up for an epoch of ``steps``, then a cosine; or a factor an epoch."""
    if config.rate_decay:
        return float(config.rate * config.rate_decay ** (step // steps))
    if step < steps:
        return config.rate * step / steps
    done = min(1.0, (step - steps) / max(1, steps * (config.epochs - 1)))
    return config.rate * (1 + math.cos(math.pi * done)) / 2
