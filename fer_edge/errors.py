"""Everything that can go wrong and be explained in one line.

    FerEdgeError                     exit code 1
    ├── ConfigError (ValueError)     78  configuration or command line
    ├── ModelError (ValueError)      78  model file, card or interpreter
    ├── SourceError (OSError)        66  a source that will never deliver a frame
    │   └── SourceLostError              … that may come back: reopened when live
    ├── FrameError (ValueError)      65  one picture that cannot be decoded: skipped and counted
    ├── SinkError (OSError)          74  an output that cannot be written
    │   └── OutputClosedError         0  … because its reader has gone: the end, not an error
    └── BrokerRefusedError (ConnectionError)  77  a subscriber that the broker does not let in

Each inherits a builtin too, so that a caller who knows nothing of fer-edge can catch it. A message
is one line that names the file or section, the field, and the remedy. Exit codes are sysexits(3).
"""

from typing import ClassVar


class FerEdgeError(Exception):
    """Base of every error that fer-edge raises on purpose."""

    exit_code: ClassVar[int] = 1


class ConfigError(FerEdgeError, ValueError):
    """Configuration, environment or command line cannot be used."""

    exit_code = 78


class ModelError(FerEdgeError, ValueError):
    """A model, its card or its interpreter cannot be used."""

    exit_code = 78


class SourceError(FerEdgeError, OSError):
    """A source will never deliver a frame."""

    exit_code = 66


class SourceLostError(SourceError):
    """A source delivers no frame now, but may later: unplugged, stalled, refused."""


class FrameError(FerEdgeError, ValueError):
    """One picture cannot be decoded."""

    exit_code = 65


class SinkError(FerEdgeError, OSError):
    """An output cannot be written."""

    exit_code = 74


class OutputClosedError(SinkError):
    """The reader of the output has ended (`… | head`): the run is over, without an error."""

    exit_code = 0


class BrokerRefusedError(FerEdgeError, ConnectionError):
    """A broker does not let a subscriber in: password, certificate or access list."""

    exit_code = 77
