"""Trying an import in a process of its own: native libraries may crash, print, or hold a camera."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TIMEOUT_S: Final = 60.0
"""An SD card that reads OpenCV for the first time takes its time."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What became of some lines of Python."""

    ok: bool
    answer: str
    """What they printed, or the last line of what went wrong."""


def probe(code: str, environ: Mapping[str, str]) -> Probe:
    """Run `code` with this interpreter and environment."""
    try:
        done = subprocess.run(  # noqa: S603  (the code is fer-edge's own)
            [sys.executable, "-P", "-c", code],
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Probe(ok=False, answer=str(error))
    if done.returncode == 0:
        return Probe(ok=True, answer=done.stdout.strip())
    if done.returncode < 0:
        return Probe(ok=False, answer=f"crashed with signal {-done.returncode}")
    return Probe(ok=False, answer=(done.stderr.strip() or "no message").splitlines()[-1])
