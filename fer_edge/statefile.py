"""What the service remembers over a restart: a small JSON file."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024
"""A larger file is not ours."""


def state_path(device: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the file is.

    A service has a folder of its own (`StateDirectory=`, which systemd names in $STATE_DIRECTORY).
    Elsewhere it is below $XDG_STATE_HOME, or ~/.local/state, in a folder for each `device`, since
    several may run for one user.
    """
    folder = environ.get("STATE_DIRECTORY", "").split(":")[0]
    if folder:
        return Path(folder) / "state.json"
    # The XDG specification says to ignore a relative path.
    home = environ.get("XDG_STATE_HOME", "")
    base = Path(home) if home.startswith("/") else Path("~/.local/state").expanduser()
    return base / "fer-edge" / device / "state.json"


class StateFile:
    """Values by name. A file that cannot be read or written costs one warning, never the run."""

    def __init__(self, path: Path) -> None:
        """Reads the file, if it is there."""
        self._path = path
        self._warned = False
        self._values = self._read()

    def get(self, name: str) -> Any:
        """The value kept as `name`; None if there is none."""
        return self._values.get(name)

    def put(self, name: str, value: Any) -> None:
        """Keep `value`, or nothing for None; it is on the disk when this returns."""
        if self._values.get(name) == value:
            return
        self._values = {k: v for k, v in {**self._values, name: value}.items() if v is not None}
        try:
            self._write()
        except OSError as error:
            self._warn(f"cannot write {self._path}: {error.strerror or error}; check its owner")

    def _read(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                values = json.loads(file.read(MAX_BYTES))
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._warn(f"cannot read {self._path}: {error.strerror or error}; check its owner")
            return {}
        except ValueError:
            values = None
        if not isinstance(values, dict):
            self._warn(f"{self._path} is damaged and will be written again")
            return {}
        return values

    def _write(self) -> None:
        """Replace the file as a whole: after a power cut it is the old one or the new one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(self._values, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _warn(self, message: str) -> None:
        if not self._warned:
            self._warned = True
            log.warning("%s; settings changed over MQTT are forgotten at the next start", message)
