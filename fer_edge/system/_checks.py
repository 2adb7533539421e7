"""What a doctor's check says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool | None
    """None: does not apply here, or could not be told."""
    detail: str
    remedy: str = ""
    """What to do; empty where nothing is to be done, or `detail` already says it."""
