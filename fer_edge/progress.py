"""A progress bar on standard error where it is a terminal, nothing elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bars(
    *, transient: bool = True
) -> Iterator[Callable[[str, int | None], Callable[[], object]]]:
    """Yield a function that adds a bar, given its name and its total (None: unknown).

    That function returns another one, which advances the bar by one step. At the end of the context
    bars that are `transient` are erased; others stay on the screen.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        # A file may be called [red].
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=transient
    ) as bars:

        def add(name: str, total: int | None) -> Callable[[], object]:
            task = bars.add_task(name, total=total)
            return lambda: bars.advance(task)

        yield add
