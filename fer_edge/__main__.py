"""`python -m fer_edge` and `fer-edge`: a Ctrl-C that comes before anything has begun ends in silence."""

import sys
from typing import NoReturn

INTERRUPTED = 128 + 2
"""As a shell reports SIGINT, and as Click exits."""


def main() -> NoReturn:
    """The command line, whose import alone takes a tenth of a second, and more on a Pi."""
    try:
        from fer_edge.cli import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
