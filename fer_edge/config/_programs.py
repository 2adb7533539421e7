"""Sections for other programs that read what fer-edge says."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import field_validator

from fer_edge.config._base import Section


class MetricsConfig(Section):
    """Diagnostics for Prometheus, over HTTP; needs `pip install 'fer-edge[metrics]'`."""

    listen: str | None = None
    """host:port, such as 127.0.0.1:9464 for this machine alone; no metrics when not given. Whoever
    reaches the port can read them: there is no password."""

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str | None) -> str | None:
        if listen is not None:
            parts = urlsplit(f"//{listen}")
            if not parts.hostname or not parts.port or parts.netloc != listen or "@" in listen:
                raise ValueError("write it as 127.0.0.1:9464 or [::1]:9464")
        return listen

    def address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        parts = urlsplit(f"//{self.listen}")
        return parts.hostname or "", parts.port or 0


class LslConfig(Section):
    """Lab Streaming Layer, for studies; needs `pip install 'fer-edge[lsl]'`."""

    enabled: bool = False
    """Announce a stream of the largest face and one of markers."""
    scope: Literal["machine", "link", "site"] = "machine"
    """How far they are announced: on this machine, in this network, in this organisation. LSL knows no
    password: whoever finds a stream can read it."""
