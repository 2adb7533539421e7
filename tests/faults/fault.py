"""What a fault is, and which ones there are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig import Rig


class NotHere(Exception):  # noqa: N818 - it is no error
    """This machine cannot have the fault; the message says why."""


class Unhealed(Exception):  # noqa: N818 - it is a finding
    """The daemon did not bear the fault; the message says what was wrong."""


@dataclass(frozen=True)
class Setup:
    """What stands around the daemon."""

    arguments: tuple[str, ...] = ()
    """More arguments of `fer-edge run`."""
    ffmpeg: bool = False
    """ffmpeg is the camera, not a server of the tests that can be told to misbehave."""
    slow_link: bool = False
    """The broker is reached through a link whose speed can be limited."""
    clock: bool = False
    """The daemon's wall clock can be set (libfaketime)."""
    disk: bool = False
    """JSON lines go to a disk of 1 MB (tmpfs)."""
    model: bool = False
    """The model is a copy that may be damaged."""


@dataclass(frozen=True)
class Fault:
    """One fault. `inject` begins it, waits, and undoes it; it may return what was seen meanwhile."""

    room: str
    name: str
    inject: Callable[["Rig"], str | None]
    setup: Setup
    soak: bool
    """Whether the soak may pick it: it needs no setup, and the process goes on."""


FAULTS: list[Fault] = []


def fault(
    room: str, name: str, *, soak: bool = False, **setup: bool | tuple[str, ...]
) -> Callable[[Callable[["Rig"], str | None]], Callable[["Rig"], str | None]]:
    """Registers a function as a fault."""

    def register(inject: Callable[["Rig"], str | None]) -> Callable[["Rig"], str | None]:
        FAULTS.append(Fault(room, name, inject, Setup(**setup), soak))  # type: ignore[arg-type] # by name
        return inject

    return register


def all_faults() -> Iterable[Fault]:
    """Every fault, in the order of the table."""
    import broker_faults  # noqa: F401 - they register themselves
    import camera_faults  # noqa: F401
    import machine_faults  # noqa: F401
    import process_faults  # noqa: F401

    rooms = ["camera", "broker", "process", "machine"]
    return sorted(FAULTS, key=lambda one: rooms.index(one.room))
