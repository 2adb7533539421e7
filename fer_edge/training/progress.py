"""A progress bar over a whole training run, where somebody looks."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Bar(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Epoch, loss, pictures a second and time left, on standard error; nothing if no terminal."""

    def __init__(self, epochs: int, steps: int, batch: int, *, first: int = 0) -> None:
        super().__init__()
        console = Console(stderr=True)
        self._batch = batch
        self._epochs = epochs
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=epochs * steps, completed=first * steps, said="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  Keras calls it so
        """Say which epoch it is."""
        self._bar.update(self._task, description=f"epoch {epoch + 1}/{self._epochs}")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  Keras calls it so
        """One step further."""
        speed = (self._bar.tasks[0].speed or 0) * self._batch
        said = f"loss {(logs or {}).get('loss', 0):.3f}, {speed:.0f} pictures/s"
        self._bar.update(self._task, advance=1, said=said)
