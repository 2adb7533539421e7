"""One network in training on a PyTorch device, beside others that get the same lesson."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from fer_edge.evaluation.datasets import Samples
from fer_edge.training.average import EVERY, decay_at, group_of, save_groups
from fer_edge.training.options import Config, input_spec
from fer_edge.training.tensorboard import EventFile
from fer_edge.training.torch_lesson import Lesson, device_of, kind_of, recorded
from fer_edge.training.torch_network import MOVING, State, arrays_of, forward, state_of
from fer_edge.training.train import figures_of, start

CHUNK: Final = 512
"""Validation pictures at a time."""

CLIP: Final = 5.0
"""Longest gradient, over all weights."""


class Student:
    """One width: its weights, their averages, its optimizer and its step."""

    def __init__(self, config: Config, samples: Samples, lesson: Lesson) -> None:
        self.config = config
        self.out = Path(config.out)
        self.events = EventFile(self.out / "tensorboard")
        self._lesson = lesson
        device = device_of()
        self._network = start(config, samples, input_spec(config.size, config.channels))
        self._state: State = state_of(self._network, device)
        learnt = {n: t for n, t in self._state.items() if n.rpartition("/")[2] not in MOVING}
        self._learnt = [tensor.requires_grad_() for tensor in learnt.values()]
        kernels = [t for n, t in learnt.items() if n.endswith("kernel")]
        others = [t for n, t in learnt.items() if not n.endswith("kernel")]
        self._rate = torch.zeros((), device=device)
        on_card = device.type == "cuda"
        self._optimizer = torch.optim.AdamW(
            [
                {"params": kernels, "weight_decay": config.decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=self._rate,
            capturable=on_card,
            fused=on_card,
            foreach=False,
        )
        rare = np.log(np.maximum(lesson.prior, 1e-6))
        self._shift = config.tau * torch.tensor(rare, device=device)
        self._loss = torch.zeros((), device=device)
        self._average = [t.detach().clone() for t in self._state.values()]
        self._steps, self._counted, self._best = 0, 0, -math.inf
        self.first = 0
        self._step = recorded(self._learn)
        # Recording has run the step: what it changed is put back.
        put(list(self._state.values()), self._average)
        put([self._loss, *self._memory()], [torch.zeros(())] * (1 + len(self._memory())))

    def _learn(self) -> None:
        """One step of the optimizer."""
        lesson, config = self._lesson, self.config
        logits, plane = forward(self._state, lesson.pictures, training=True, rate=config.dropout)
        scores = (logits + self._shift).log_softmax(1)
        by_emotion, by_plane = lesson.weights
        emotion = -(by_emotion * (lesson.emotion * scores).sum(1)).mean()
        # An unknown (NaN) value counts nothing, as in ``losses.plane_loss``.
        error = (by_plane * (plane - lesson.plane).nan_to_num().square().mean(1)).mean()
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
        """``train.validate`` of the averaged weights."""
        averaged = dict(zip(self._state, self._average, strict=True))
        kind = kind_of(self.config)
        logits, plane = zip(
            *(forward(averaged, chunk.to(kind)) for chunk in pictures.split(CHUNK)), strict=True
        )
        return figures_of(samples, *(torch.cat(part).cpu().numpy() for part in (logits, plane)))

    def keep(self, epoch: int, score: float) -> None:
        """Write the checkpoint to go on from and, if the score is the best yet, the weights."""
        averaged = [tensor.cpu().numpy() for tensor in self._average]
        if score > self._best:
            self._best = score
            self._network.set_weights(averaged)
            self._network.save_weights(self.out / "best.weights.h5")
        groups = {
            "model": arrays_of(self._state),
            "average": averaged,
            "optimizer": [tensor.cpu().numpy() for tensor in self._memory()],
        }
        save_groups(self.out / "last.npz", groups, epoch=epoch, best=self._best, steps=self._steps)

    def restore(self) -> None:
        """Set everything as ``keep`` left it, if it did; ``first`` is the next epoch."""
        path = self.out / "last.npz"
        if not path.is_file():
            return
        with np.load(path, allow_pickle=False) as stored:
            put(list(self._state.values()), group_of(stored, "model"))
            put(self._average, group_of(stored, "average"))
            put(self._memory(), group_of(stored, "optimizer"))
            self._steps = self._counted = int(stored["steps"])
            self._best = float(stored["best"])
            self.first = int(stored["epoch"])

    def _memory(self) -> list[Any]:
        """What the optimizer remembers, in the order of the weights."""
        state = self._optimizer.state
        return [state[t][key] for t in self._learnt for key in sorted(state[t])]


@torch.no_grad()  # type: ignore[untyped-decorator]  # torch is not installed where types are checked
def put(tensors: list[Any], values: list[Any]) -> None:
    """Change tensors in place: a CUDA graph knows where they lie."""
    for tensor, value in zip(tensors, values, strict=True):
        tensor.copy_(torch.as_tensor(value))


def rate_at(config: Config, steps: int, step: int) -> float:
    """Learning rate of a step, as ``train.optimizer_of`` has it; ``steps`` make an epoch."""
    if config.rate_decay:
        return float(config.rate * config.rate_decay ** (step // steps))
    if step < steps:
        return config.rate * step / steps
    done = min(1.0, (step - steps) / max(1, steps * (config.epochs - 1)))
    return config.rate * (1 + math.cos(math.pi * done)) / 2
