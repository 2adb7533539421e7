"""The configuration in effect, as TOML that `--config` would accept."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel

from fer_edge.config._models import Config

MASK = "***"


def mask_url(url: str) -> str:
    """`url` without what may be secret in it: a password, and values of its query.

    What cannot be taken apart is masked whole.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    netloc = parts.netloc
    if parts.password is not None:
        netloc = f"{parts.username or ''}:{MASK}@{netloc.rpartition('@')[2]}"
    return urlunsplit(
        parts._replace(netloc=netloc, query=re.sub(r"=[^&]*", f"={MASK}", parts.query))
    )


def render(config: Config) -> str:
    """TOML with every field; what is not set stands as a comment, secrets are masked."""
    lines = [_line("device", config.device)]
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            lines += _section(f"[{name}]", value)
        elif isinstance(value, tuple):
            for one in value:
                lines += _section(f"[[{name}]]", one)
    return "\n".join(lines) + "\n"


def _section(head: str, section: BaseModel) -> list[str]:
    """A table, and after it the tables within."""
    values = {key: getattr(section, key) for key in type(section).model_fields}
    tables = {key: value for key, value in values.items() if isinstance(value, BaseModel)}
    lines = ["", head]
    lines += [_line(key, value) for key, value in values.items() if key not in tables]
    return lines + [
        line
        for key, table in tables.items()
        for line in _section(f"[{head.strip('[]')}.{key}]", table)
    ]


def _line(key: str, value: Any) -> str:
    if value is None:
        return f"# {key} ="
    if isinstance(value, str) and "://" in value:
        value = mask_url(value)
    # A JSON string, number or boolean is a TOML one too.
    return f"{key} = {json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)}"
