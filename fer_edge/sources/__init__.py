"""Where pictures come from: `open_source` turns a section of the configuration into a source."""

from fer_edge.sources._open import Lend, open_source

__all__ = ["Lend", "open_source"]
