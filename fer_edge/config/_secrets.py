"""Passwords: from a file or from systemd's credentials, never from the command line."""

import os
from pathlib import Path

from fer_edge.errors import ConfigError


def read_password(field: str, file: Path | None, credential: str) -> str | None:
    """First line of `file`, else of systemd's credential of that name, else None.

    Raises:
        ConfigError: the file named in `field` cannot be read, or is empty.
    """
    if file is None:
        directory = os.environ.get("CREDENTIALS_DIRECTORY")
        file = Path(directory) / credential if directory else None
        if file is None or not file.exists():
            return None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"{field}: cannot read {file}: {reason}; check path and owner") from None
    if not lines or not lines[0]:
        raise ConfigError(f"{field}: {file} is empty; its first line must be the password")
    return lines[0]
