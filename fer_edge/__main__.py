"""`python -m fer_edge` and `fer-edge`: a Ctrl-C that comes before anything has begun ends in silence."""

import sys
from typing import NoReturn

INTERRUPTED = 128 + 2
"""As a shell reports SIGINT, and as Click exits."""

MISSING = 78
"""As of a configuration that cannot be used."""


def main() -> NoReturn:
    """The command line, whose import alone takes a tenth of a second, and more on a Pi."""
    try:
        from fer_edge.cli import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("fer_edge"):
            raise
        # Installed with --no-deps, for `fer_edge.client` alone.
        print(f"fer-edge: {error.name} is missing; pip install fer-edge", file=sys.stderr)  # noqa: T201
        sys.exit(MISSING)
    run()


if __name__ == "__main__":
    main()
